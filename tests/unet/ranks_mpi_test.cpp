// Training steps of several ranks, started by mpiexec, on whatever device the program links: together they are the step
// of one rank that has all images. With the argument "nccl" gradients go from device to device.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <string_view>

#include "../relative_distance.hpp"
#include "data/loading/random_batch.hpp"
#include "dist/collectives.hpp"
#include "dist/open_mpi.hpp"
#include "kernels/base/error.hpp"
#include "nn/initialize.hpp"
#include "nn/optimizer.hpp"
#include "unet/gradient_exchange.hpp"
#include "unet/ranks.hpp"
#include "unet/training_step.hpp"

namespace plume::unet {
namespace {

dist::Communicator* group = nullptr;
Backend backend = Backend::mpi;

constexpr int edge = 8;
constexpr int bands = 3;

kernels::Stream make_device() {
  if (kernels::cuda_device_count() > 0) return kernels::CudaStream();
  return kernels::CpuStream(1);
}

ModelSettings small_model() {
  ModelSettings model;
  model.bands = bands;
  model.base = 4;
  model.depth = 1;
  return model;
}

// Images [first, first + count) of a batch, as one rank's share of it.
data::Batch part_of(const data::Batch& batch, int first, int count) {
  data::Batch part = batch;
  const auto cut = [&](auto& values) {
    const auto each = static_cast<std::ptrdiff_t>(values.size()) / batch.images;
    values = {values.begin() + first * each, values.begin() + (first + count) * each};
  };
  cut(part.pixels);
  cut(part.labels);
  cut(part.samples);
  part.images = count;
  return part;
}

data::Batch share_of(const data::Batch& batch) {
  const int first = batch.images * group->rank() / group->size();
  return part_of(batch, first, batch.images * (group->rank() + 1) / group->size() - first);
}

// A network, and what trains it.
struct Training {
  explicit Training(const Config& settings, bool alone)
      : config(settings),
        network(build_graph(small_model()), DType::f32, Fusion::on, &stream),
        optimizer(config.optimizer, network.parameters()),
        step(network, config, edge, edge,
             alone ? nullptr : &exchange.emplace(*group, config.dist, network.parameters(), stream)) {
    nn::initialize(network.parameters(), nn::Initializer::pytorch, 5);
  }

  Config config;
  kernels::Stream stream = make_device();
  Network network;
  nn::Optimizer optimizer;
  std::optional<GradientExchange> exchange;
  TrainingStep step;
};

std::vector<std::vector<float>> parameters_of(const Network& network) {
  std::vector<std::vector<float>> all;
  for (const auto& info : network.parameters().all()) all.push_back(network.parameters().to_named(info).values);
  return all;
}

class RanksTest : public testing::Test {
 protected:
  RanksTest() {
    config_.train.batch = 6;
    config_.optimizer.kind = nn::OptimizerSettings::Kind::sgd;
    config_.dist.sync_batch_norm = true;
    config_.dist.bucket = 0.001;
    config_.dist.backend = backend;
  }

  // Losses of so many steps; images: of each batch, which may be fewer than a full one.
  std::vector<double> run(Training& training, int steps, int images) const {
    std::vector<double> losses;
    for (int i = 0; i < steps; ++i) {
      const data::Batch batch = data::random_batch(images, edge, bands, static_cast<std::uint64_t>(i));
      const bool alone = !training.exchange;
      double loss = training.step.run(alone ? batch : share_of(batch), training.optimizer, 0.01);
      if (!alone) dist::sum(*group, std::span(&loss, 1));
      losses.push_back(loss);
    }
    return losses;
  }

  void expect_same(const Training& a, const Training& b) const {
    const auto ours = parameters_of(a.network);
    const auto theirs = parameters_of(b.network);
    for (std::size_t i = 0; i < ours.size(); ++i)
      EXPECT_LT(tests::relative_distance(ours[i], theirs[i]), 1e-5) << a.network.parameters().all()[i].name;
    Ranks(group).require_same_weights(a.network.parameters());
  }

  Config config_;
};

TEST_F(RanksTest, AreOneRankWithAllImages) {
  Training together(config_, false);
  Training alone(config_, true);
  const auto losses = run(together, 20, 6);
  const auto expected = run(alone, 20, 6);
  for (std::size_t i = 0; i < losses.size(); ++i) EXPECT_NEAR(losses[i], expected[i], 1e-5);
  expect_same(together, alone);
}

// A batch that does not divide; without normalisation over all ranks its statistics would differ.
TEST_F(RanksTest, WeighImagesAlikeWhereSharesDiffer) {
  Training together(config_, false);
  Training alone(config_, true);
  const auto losses = run(together, 3, 5);
  const auto expected = run(alone, 3, 5);
  for (std::size_t i = 0; i < losses.size(); ++i) EXPECT_NEAR(losses[i], expected[i], 1e-5);
  expect_same(together, alone);
}

// The last batch of an epoch may have fewer images than there are ranks.
TEST_F(RanksTest, WithoutAnImageTakePartInTheUpdate) {
  config_.dist.sync_batch_norm = false;
  Training together(config_, false);
  static_cast<void>(run(together, 2, 6));
  static_cast<void>(run(together, 1, 1));
  const auto losses = run(together, 2, 6);
  EXPECT_TRUE(std::isfinite(losses.back()));
  Ranks(group).require_same_weights(together.network.parameters());
}

// Accumulated parts are summed over ranks once, after the last.
TEST_F(RanksTest, AccumulateBeforeTheyExchange) {
  config_.dist.sync_batch_norm = false;
  config_.train.batch = 12;
  config_.train.accumulate = 2;
  Training together(config_, false);
  static_cast<void>(run(together, 4, 12));
  config_.train.accumulate = 2 * group->size();
  Training alone(config_, true);  // the same parts, one after the other
  ASSERT_EQ(12 % config_.train.accumulate, 0) << "start it with 2 or 3 ranks";
  static_cast<void>(run(alone, 4, 12));
  const auto ours = parameters_of(together.network);
  const auto theirs = parameters_of(alone.network);
  const auto& infos = together.network.parameters().all();
  for (std::size_t i = 0; i < ours.size(); ++i) {
    if (infos[i].kind == nn::ParameterKind::statistic) continue;  // of one rank's parts, then averaged
    EXPECT_LT(tests::relative_distance(ours[i], theirs[i]), 1e-5) << infos[i].name;
  }
}

TEST_F(RanksTest, NoticeWeightsThatDiffer) {
  Training training(config_, true);
  nn::Parameters& parameters = training.network.parameters();
  if (group->rank() == 1) {
    nn::NamedTensor tensor = parameters.to_named(parameters.all().front());
    tensor.values.front() = std::nextafter(tensor.values.front(), 9.0F);
    parameters.from_named(parameters.all().front(), tensor);
  }
  try {
    Ranks(group).require_same_weights(parameters);
    FAIL() << "a differing bit went unnoticed";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("rank 1 "), std::string::npos) << error.what();
  }
}

// Each image once, whoever has it; five do not divide evenly.
TEST(RanksEvaluation, AddsUpToTheWhole) {
  const int tiles[] = {0, 1, 2, 3, 4};
  const auto add = [](Evaluation& evaluation, std::size_t image, int tile) {
    std::vector<float> probability;
    std::vector<std::uint8_t> labels;
    for (int p = 0; p < 12; ++p) {
      probability.push_back(static_cast<float>((p * 7 + tile * 5) % 12) / 12);
      labels.push_back(static_cast<std::uint8_t>((p + tile) % 3 == 0 ? 1 : 0));
    }
    add_image(evaluation, image, probability.data(), labels, 3, 4, {});
  };
  Evaluation whole(std::size(tiles), 1);
  for (std::size_t i = 0; i < std::size(tiles); ++i) add(whole, i, tiles[i]);
  const auto share = unet::share_of(tiles, group->rank(), group->size());
  Evaluation own(share.size(), 1);
  for (std::size_t i = 0; i < share.size(); ++i) add(own, i, share[i]);
  const Evaluation all = Ranks(group).together(std::move(own), std::size(tiles));
  for (std::size_t i = 0; i < std::size(tiles); ++i) EXPECT_EQ(all.images[i][0].iou(), whole.images[i][0].iou()) << i;
  EXPECT_EQ(all.foreground.average_precision(), whole.foreground.average_precision());
  EXPECT_EQ(all.foreground.roc_area(), whole.foreground.roc_area());
}

}  // namespace
}  // namespace plume::unet

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  const auto communicator = plume::dist::open_mpi(plume::dist::launch(), nullptr);
  plume::unet::group = communicator.get();
  if (argc > 1 && std::string_view(argv[1]) == "nccl") plume::unet::backend = plume::unet::Backend::nccl;
  return RUN_ALL_TESTS();
}
