// A step gone wrong ends a training with its number, the place and the last good checkpoint, or is skipped without a
// trace.
#include "unet/step_guard.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "../expect_error.hpp"
#include "data/loading/random_batch.hpp"
#include "float_tiles.hpp"
#include "nn/initialize.hpp"
#include "unet/families.hpp"
#include "unet/inference/model_file.hpp"
#include "unet/train.hpp"
#include "unet/training_step.hpp"

namespace plume::unet {
namespace {

constexpr int edge = tests::float_tile_edge;
constexpr int bands = tests::float_tile_bands;
constexpr float wild = std::numeric_limits<float>::max();  // finite, but no convolution of it is

// Six training tiles, one of which is wild, and one for validation.
std::filesystem::path wild_shard(const tests::ScratchFolder& folder) {
  return tests::float_shard(
      folder / "shard", 7, 1, [](float value) -> std::uint8_t { return value > 0.3F ? 1 : 0; },
      [](int tile, std::vector<float>& pixels) {
        if (tile == 3) std::fill(pixels.begin(), pixels.end(), wild);
      });
}

class StepGuardTest : public testing::Test {
 protected:
  StepGuardTest()
      : config_(parse_config("[data]\nshard = '" + wild_shard(folder_).string() +
                                 "'\nnormalize = false\n[model]\nbands = 2\nbase = 4\ndepth = 1\n[train]\nbatch = 1\n"
                                 "epochs = 2\nvalidate_every = 2\nlog_every = 2\n",
                             "small")) {}

  TrainOutcome run(const std::string& name) {
    TrainOptions options;
    options.config = config_;
    options.output = folder_ / name;
    options.quiet = true;
    return train(options);
  }

  tests::ScratchFolder folder_;
  Config config_;
};

TEST_F(StepGuardTest, StopsWithStepPlaceAndCheckpoint) {
  tests::expect_input_error([&] { run("stopped"); }, "of step ", "not finite: the output of enc0.", "optimizer.lr",
                            "last.safetensors, of step ");
}

TEST_F(StepGuardTest, SkipsWithoutATrace) {
  config_.train.on_nan = OnNan::skip;
  const TrainOutcome outcome = run("skipped");
  EXPECT_EQ(outcome.progress.step, 12);
  EXPECT_EQ(outcome.progress.skipped, 2);  // once an epoch
  EXPECT_TRUE(std::isfinite(outcome.last_loss));
  const Network network = load_model(folder_ / "skipped" / "last.safetensors");  // which refuses what is not finite
  for (const auto& info : network.parameters().all()) {
    for (const float value : network.parameters().to_named(info).values) ASSERT_LT(std::abs(value), 1e3F) << info.name;
  }
}

TEST_F(StepGuardTest, StopsWhereTheLossExplodes) {
  Progress progress;
  StepGuard guard(TrainSettings(), "run");
  const auto accept = [&](double loss) { return guard.accept({loss, true, 0.1}, progress, [] { return ""; }); };
  EXPECT_TRUE(accept(0.5));
  guard.saved(7);
  EXPECT_TRUE(accept(499));
  EXPECT_TRUE(accept(0.001));  // what counts is the first
  tests::expect_input_error([&] { accept(501); }, "is 501, more than train.explode = 1000 times the first, 0.5",
                            "last.safetensors, of step 7");
}

TEST_F(StepGuardTest, TooManySkippedInARowEndIt) {
  Progress progress;
  TrainSettings settings;
  settings.on_nan = OnNan::skip;
  StepGuard guard(settings, "run");
  const StepOutcome bad{std::numeric_limits<double>::quiet_NaN(), false, 0.1};
  const auto where = [] { return std::string("the images"); };
  const auto accept = [&](const StepOutcome& step) { return guard.accept(step, progress, where); };
  for (int i = 0; i < 9; ++i) EXPECT_FALSE(accept(bad));
  EXPECT_TRUE(accept({0.5, true, 0.1}));
  for (int i = 0; i < 9; ++i) EXPECT_FALSE(accept(bad));
  tests::expect_input_error([&] { accept(bad); }, "the loss of step 1", "10 steps in a row", "no checkpoint");
  EXPECT_EQ(progress.skipped, 18);
}

// What is told is the first that is not finite: weights before images, images before outputs.
TEST(NotFinite, NamesTheFirst) {
  ModelSettings model;
  model.bands = bands;
  model.base = 4;
  model.depth = 1;
  Config config;
  config.train.batch = 2;
  Network network(build_graph(model));
  nn::initialize(network.parameters(), nn::Initializer::he, 1);
  nn::Optimizer optimizer(config.optimizer, network.parameters());
  TrainingStep step(network, config, edge, edge);
  const auto run = [&](float pixel) {
    data::Batch batch = data::random_batch(2, edge, bands, 1);
    auto* pixels = reinterpret_cast<float*>(batch.pixels.data());
    if (pixel != 0) std::fill_n(pixels, batch.label_count() * bands, pixel);
    static_cast<void>(step.run(batch, optimizer, 0.01));
    return step.not_finite();
  };
  EXPECT_EQ(run(std::numeric_limits<float>::infinity()), "the images");
  EXPECT_FALSE(optimizer.finite());
  EXPECT_TRUE(run(wild).starts_with("the output of enc0.")) << step.not_finite();
  nn::NamedTensor head = network.parameters().to_named(*network.parameters().find("head.weight"));
  head.values[0] = std::numeric_limits<float>::quiet_NaN();
  network.parameters().from_named(*network.parameters().find("head.weight"), head);
  EXPECT_EQ(run(0), "the weights of head.weight");
}

}  // namespace
}  // namespace plume::unet
