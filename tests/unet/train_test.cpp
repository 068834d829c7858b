// Training repeats itself bit by bit: over runs, thread counts and interruptions; and it learns.
#include "unet/train.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <cstring>
#include <functional>
#include <sstream>
#include <string>

#include "../expect_error.hpp"
#include "../spoil_label.hpp"
#include "data/loading/sampling.hpp"
#include "small_training.hpp"
#include "unet/inference/model_file.hpp"
#include "unet/inference/predict.hpp"
#include "unet/metrics/confusion.hpp"

namespace plume::unet {
namespace {

using tests::read_file;
using tests::ScratchFolder;

class TrainTest : public testing::Test {
 protected:
  TrainOutcome run(const std::string& name, const Config& config, const std::filesystem::path& resume = {},
                   const std::function<void(std::int64_t step)>& after_step = {}) {
    TrainOptions options;
    options.config = config;
    options.output = folder_ / name;
    options.resume = resume;
    options.quiet = true;
    options.after_step = after_step;
    return train(options);
  }
  // The tensors of a checkpoint, without the header, which holds the configuration.
  std::string weights(const std::string& name, const std::string& file = "last.safetensors") {
    const std::string bytes = read_file(folder_ / name / file);
    std::uint64_t header = 0;
    std::memcpy(&header, bytes.data(), sizeof header);
    return bytes.substr(8 + header);
  }

  ScratchFolder folder_;
  std::filesystem::path shard_ = tests::small_shard(folder_);
  Config config_ = tests::small_config(shard_);
};

TEST_F(TrainTest, SameSeedSameBits) {
  run("a", config_);
  run("b", config_);
  EXPECT_EQ(weights("a"), weights("b"));
  EXPECT_EQ(read_file(folder_ / "a" / "best.safetensors"), read_file(folder_ / "b" / "best.safetensors"));
  config_.train.seed = 4;
  run("c", config_);
  EXPECT_NE(weights("a"), weights("c"));
}

// The batch behind it is read while a step runs; what is wrong with it must not cost that step.
TEST_F(TrainTest, AnUnreadableTileCostsNoStepBeforeIt) {
  config_.train.batch = 1;
  config_.train.crop = 0;
  config_.train.class_share = 0;
  config_.train.validate_every = 2;
  int tile = 0;
  {
    const data::Shard shard(shard_);
    data::Sampling sampling;
    sampling.batch = 1;
    sampling.seed = config_.train.seed;
    tile = data::Sampler(shard, sampling).samples(0, 2).at(0).tile;
  }
  tests::spoil_label(shard_, tile);
  std::int64_t done = 0;
  tests::expect_input_error([&] { run("spoiled", config_, {}, [&](std::int64_t step) { done = step; }); }, "label 77");
  EXPECT_EQ(done, 2);
  EXPECT_NE(weights("spoiled"), "");
}

TEST_F(TrainTest, SameBitsOnAnyNumberOfThreads) {
  config_.train.threads = 1;
  run("one", config_);
  config_.train.threads = 2;
  config_.data.loader_threads = 3;
  run("two", config_);
  config_.train.threads = 3;
  run("three", config_);
  EXPECT_EQ(weights("one"), weights("two"));
  EXPECT_EQ(weights("one"), weights("three"));
}

// What `plume train` does on the signal that users and schedulers send, after each step in turn: validations, and so
// checkpoints, are at 4 and 8 only.
TEST_F(TrainTest, ResumedEqualsUninterrupted) {
  run("whole", config_);
  for (std::int64_t cut = 1; cut < config_.train.steps; ++cut) {
    SCOPED_TRACE(cut);
    const std::string name = "cut" + std::to_string(cut);
    const TrainOutcome first = run(name, config_, {}, [cut](std::int64_t step) {
      if (step == cut) std::raise(SIGTERM);
    });
    ASSERT_TRUE(first.stopped);
    ASSERT_EQ(first.progress.step, cut);
    const TrainOutcome second = run(name, config_, folder_ / name / "last.safetensors");
    EXPECT_FALSE(second.stopped);
    EXPECT_EQ(second.progress.step, config_.train.steps);
    for (const char* file : {"last.safetensors", "best.safetensors"}) {
      EXPECT_TRUE(read_file(folder_ / "whole" / file) == read_file(folder_ / name / file)) << file << " differs";
    }
  }
}

TEST_F(TrainTest, AugmentedTrainingsRepeatThemselves) {
  run("plain", config_);
  config_.data.shuffle_window = 3;
  config_.augment = {
      .scale = 0.3, .angle = 20, .elastic = 3, .contrast = 0.2, .noise = 0.1, .cut_out = 0.3, .mosaic = 0.3};
  config_.train.threads = 1;
  run("whole", config_);
  EXPECT_NE(weights("plain"), weights("whole"));
  config_.train.threads = 3;
  config_.data.loader_threads = 2;
  run("cut", config_, {}, [](std::int64_t step) {
    if (step == 3) std::raise(SIGTERM);
  });
  run("cut", config_, folder_ / "cut" / "last.safetensors");
  EXPECT_EQ(weights("whole"), weights("cut"));
}

TEST_F(TrainTest, ValidationIsNotAugmented) {
  config_.augment = {.shift = 0.5, .brightness = 5, .drop_bands = 0.5};
  const TrainOutcome outcome = run("run", config_);
  ASSERT_GT(outcome.progress.best_iou, 0);
  const data::Shard shard(shard_);
  Network network = load_model(folder_ / "run" / "best.safetensors");
  Predictor predictor(network);
  std::vector<Confusion> counts(1);
  for (const int tile : shard.tiles(data::Split::val)) {
    const data::ShardInfo& info = shard.info();
    std::vector<float> image(static_cast<std::size_t>(info.height * info.width * info.bands));
    shard.read(tile, network.graph().input.mean, network.graph().input.std, image.data());
    const auto probability = predictor.probabilities_of_normalized(image.data(), 1, info.height, info.width);
    count_pixels(counts, probability.data(), shard.labels(tile).data(), info.height * info.width, 1, 0.5F);
  }
  EXPECT_EQ(foreground_iou(counts), outcome.progress.best_iou);
}

TEST_F(TrainTest, ResumeFromAMiddleCheckpointRepeatsTheRest) {
  // validate_every = 4 leaves a checkpoint behind step 4; a copy of it is what a killed run would have.
  config_.schedule.kind = ScheduleSettings::Kind::constant;  // so that a shorter run has the same first half
  config_.schedule.warmup = 0;
  run("whole", config_);
  Config half = config_;
  half.train.steps = 4;
  run("half", half);
  const TrainOutcome outcome = run("half", config_, folder_ / "half" / "last.safetensors");
  EXPECT_EQ(outcome.progress.step, 8);
  EXPECT_EQ(weights("whole"), weights("half"));
}

TEST_F(TrainTest, LogRowsAreWrittenOnce) {
  config_.schedule.kind = ScheduleSettings::Kind::constant;
  run("run", config_);
  const std::string log = read_file(folder_ / "run" / "log.csv");
  EXPECT_EQ(std::count(log.begin(), log.end(), '\n'), 5) << log;  // header, 2, 4, 6, 8
  // Resuming from step 8 with more steps appends; rows from beyond the checkpoint would be dropped first.
  tests::write_file(folder_ / "run" / "log.csv", log + "10,1,0.5,0.1,1,0,,,,,,,,,,,\n");
  config_.train.steps = 10;
  run("run", config_, folder_ / "run" / "last.safetensors");
  const std::string longer = read_file(folder_ / "run" / "log.csv");
  EXPECT_EQ(std::count(longer.begin(), longer.end(), '\n'), 6) << longer;
  EXPECT_TRUE(longer.starts_with(log)) << longer;
}

TEST_F(TrainTest, LossFalls) {
  config_.train.steps = 60;
  config_.train.validate_every = 60;
  config_.train.crop = 128;
  run("run", config_);
  const std::string log = read_file(folder_ / "run" / "log.csv");
  const auto loss_of = [&](std::size_t line) {
    std::istringstream rows(log);
    std::string row;
    for (std::size_t i = 0; i <= line; ++i) std::getline(rows, row);
    return std::stod(row.substr(row.find(',', row.find(',') + 1) + 1));
  };
  EXPECT_LT(loss_of(30), 0.7 * loss_of(1)) << log;
}

TEST_F(TrainTest, StopsEarlyWhenValidationsDoNotImprove) {
  config_.train.steps = 400;
  config_.train.validate_every = 1;
  config_.train.patience = 3;
  config_.schedule.lr = 0;  // nothing but running statistics moves
  const TrainOutcome outcome = run("run", config_);
  EXPECT_FALSE(outcome.stopped);
  EXPECT_LT(outcome.progress.step, 400);
}

// What is validated and kept as the best are averaged weights, which a continuation goes on with.
TEST_F(TrainTest, AveragesWeights) {
  run("plain", config_);
  config_.optimizer.average = 0.9;
  run("whole", config_);
  EXPECT_NE(weights("plain", "best.safetensors"), weights("whole", "best.safetensors"));
  const Network plain = load_model(folder_ / "plain" / "last.safetensors");
  const Network last = load_model(folder_ / "whole" / "last.safetensors");
  const Network best = load_model(folder_ / "whole" / "best.safetensors");
  const auto& info = plain.parameters().all().front();
  EXPECT_EQ(plain.parameters().to_named(info).values, last.parameters().to_named(info).values);
  EXPECT_NE(best.parameters().to_named(info).values, last.parameters().to_named(info).values);
  run("cut", config_, {}, [](std::int64_t step) {
    if (step == 3) std::raise(SIGTERM);
  });
  run("cut", config_, folder_ / "cut" / "last.safetensors");
  for (const char* file : {"last.safetensors", "best.safetensors"})
    EXPECT_EQ(weights("whole", file), weights("cut", file));
}

TEST_F(TrainTest, FreezesLayers) {
  config_.train.freeze = {"enc0.*", "dec*"};
  config_.train.steps = 2;
  run("two", config_);
  config_.train.steps = 4;
  run("four", config_);
  const Network two = load_model(folder_ / "two" / "last.safetensors");
  const Network four = load_model(folder_ / "four" / "last.safetensors");
  int frozen = 0;
  for (const auto& info : two.parameters().all()) {
    if (info.kind == nn::ParameterKind::statistic) continue;
    const bool same = two.parameters().to_named(info).values == four.parameters().to_named(info).values;
    const bool stays = info.name.starts_with("enc0.") || info.name.starts_with("dec");
    EXPECT_EQ(same, stays) << info.name;
    frozen += stays ? 1 : 0;
  }
  EXPECT_GT(frozen, 4);
  config_.train.freeze = {"encoder*"};
  tests::expect_input_error([&] { run("none", config_); }, "train.freeze", "encoder*");
}

TEST_F(TrainTest, WhatDoesNotFitTheTilesIsRefusedWithWhatDoes) {
  const auto refused = [&](const Config& config, const char* why, const char* hint) {
    tests::expect_input_error([&] { run("none", config); }, why, hint);
  };
  Config config = config_;
  config.model.bands = 3;
  refused(config, "model.bands = 3", "6 bands; set it to 6");
  config = config_;
  config.model.classes = 4;
  refused(config, "model.classes = 4", "1 classes; set it to 1");
  config = config_;
  config.train.crop = 300;
  refused(config, "train.crop = 300 is larger than the tiles, 256x256", "set it to 256 at most");
}

// Crops and tiles that the network cannot halve twice, in training and validation.
TEST_F(TrainTest, AnySizeTrains) {
  config_.train.crop = 51;
  const TrainOutcome outcome = run("odd", config_);
  EXPECT_TRUE(std::isfinite(outcome.last_loss));
  EXPECT_GT(outcome.progress.best_iou, 0);
  config_.model.depth = 5;
  config_.train.crop = 50;
  config_.train.rotate = true;
  config_.augment = {.angle = 20, .elastic = 2};
  EXPECT_TRUE(std::isfinite(run("deep", config_).last_loss));
}

TEST_F(TrainTest, EveryLossTrains) {
  config_.loss = {
      .cross_entropy = 1, .dice = 0.5, .focal = 0.5, .tversky = 0.5, .lovasz = 0.5, .label_smoothing = 0.05};
  config_.class_weights = {1, 3};
  config_.optimizer = {
      .kind = nn::OptimizerSettings::Kind::sgd, .nesterov = true, .weight_decay = 1e-4, .clip_norm = 1};
  config_.schedule.kind = ScheduleSettings::Kind::poly;
  config_.train.threads = 1;
  run("one", config_);
  config_.train.threads = 3;
  run("three", config_);
  EXPECT_EQ(weights("one"), weights("three"));
}

TEST_F(TrainTest, WhatWaitsForValidationsNeedsSome) {
  const auto shard = folder_ / "no_val.h5";
  tests::FolderPacking packing;
  packing.tiles = folder_ / "scenes" / "tiles";
  packing.masks = folder_ / "scenes" / "masks";
  packing.output = shard;
  packing.val = 0;
  packing.test = 0;
  tests::pack(packing);
  config_.data.shard = shard.string();
  config_.train.patience = 2;
  tests::expect_input_error([&] { run("patience", config_); }, "train.patience", "leave it at 0");
  config_.train.patience = 0;
  config_.schedule.kind = ScheduleSettings::Kind::plateau;
  tests::expect_input_error([&] { run("plateau", config_); }, "plateau", "poly");
}

TEST_F(TrainTest, RefusesToGoOnFromWhatDoesNotFit) {
  using tests::expect_input_error;
  run("run", config_);
  config_.model.base = 8;
  expect_input_error([&] { run("run", config_, folder_ / "run" / "last.safetensors"); }, "another model");
  config_ = tests::small_config(shard_);
  config_.train.seed = 99;
  expect_input_error([&] { run("run", config_, folder_ / "run" / "last.safetensors"); }, "train.seed");
  config_ = tests::small_config(shard_);
  expect_input_error([&] { run("run", config_, folder_ / "run" / "best.safetensors"); }, "optimizer");
}

TEST_F(TrainTest, MemoryIsKnownBeforeTheFirstStep) {
  const std::string table = describe_memory(config_);
  EXPECT_NE(table.find("arena"), std::string::npos) << table;
  EXPECT_NE(table.find("enc0.conv1"), std::string::npos) << table;
}

}  // namespace
}  // namespace plume::unet
