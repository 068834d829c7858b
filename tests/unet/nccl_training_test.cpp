// Trainings by several ranks whose gradients stay on their (emulated) GPUs: NCCL's sums run inside of replayed steps.
#include <fmt/core.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <string>
#include <vector>

#include "../dist/in_ranks.hpp"
#include "../expect_error.hpp"
#include "device_step.hpp"
#include "nn/safetensors.hpp"
#include "small_training.hpp"
#include "unet/gradient_exchange.hpp"
#include "unet/ranks.hpp"
#include "unet/train.hpp"

namespace plume::unet {
namespace {

using dist::Communicator;
using tests::in_ranks;

// Before any group is made.
const bool chosen = ::setenv("PLUME_NCCL", PLUME_FAKE_NCCL, 1) == 0;

Config config_of(Backend backend) {
  Config config = tests::device_config(Family::classic, tests::cuda);
  config.model.base = 2;
  config.model.depth = 1;
  config.train.batch = 2;
  config.optimizer.kind = nn::OptimizerSettings::Kind::sgd;
  config.dist.backend = backend;
  config.dist.bucket = 0.001;  // several buckets even here
  return config;
}

// A rank's part of a training by all; each has an image of every batch.
class RankTraining {
 public:
  RankTraining(Communicator& communicator, const Config& config)
      : config_(config),
        communicator_(communicator),
        stream_(make_stream(config.train.device, 1)),
        network_(build_graph(config.model), DType::f32, Fusion::on, &stream_),
        optimizer_(config.optimizer, network_.parameters()),
        exchange_(communicator, config_.dist, network_.parameters(), stream_),
        step_(network_, config_, tests::device_edge, tests::device_edge, &exchange_) {
    nn::initialize(network_.parameters(), nn::Initializer::he, 1);
  }

  void run(int steps) {
    for (int i = 0; i < steps; ++i) {
      data::Batch batch = tests::drawn_batch(1, static_cast<std::uint64_t>(10 * i + communicator_.rank() + 1));
      batch.total = communicator_.size();
      static_cast<void>(step_.run(batch, optimizer_, 1e-2));
    }
  }
  [[nodiscard]] std::vector<float> parameters() const {
    std::vector<float> all;
    for (const auto& info : network_.parameters().all()) {
      const auto values = network_.parameters().to_named(info).values;
      all.insert(all.end(), values.begin(), values.end());
    }
    return all;
  }
  [[nodiscard]] const TrainingStep& step() const { return step_; }
  [[nodiscard]] const GradientExchange& exchange() const { return exchange_; }
  [[nodiscard]] const nn::Parameters& weights() const { return network_.parameters(); }

 private:
  Config config_;
  Communicator& communicator_;
  kernels::Stream stream_;
  Network network_;
  nn::Optimizer optimizer_;
  GradientExchange exchange_;
  TrainingStep step_;
};

constexpr int steps = 3;

// What all ranks end with.
std::vector<float> trained(Communicator& communicator, const Config& config) {
  RankTraining training(communicator, config);
  training.run(steps);
  EXPECT_NO_THROW(Ranks(&communicator).require_same_weights(training.weights()));
  const bool recorded = config.train.cuda_graph && config.dist.backend != Backend::mpi;
  EXPECT_EQ(training.step().replays(), recorded ? steps - 1 : 0) << training.step().graph_refusal();
  EXPECT_EQ(training.step().graph_refusal().empty(), config.dist.backend != Backend::mpi);
  return training.parameters();
}

void expect_close(const std::vector<float>& found, const std::vector<float>& expected, double bound) {
  ASSERT_EQ(found.size(), expected.size());
  double largest = 0;
  for (std::size_t i = 0; i < found.size(); ++i)
    largest = std::max(largest, std::abs(static_cast<double>(found[i]) - static_cast<double>(expected[i])));
  EXPECT_LE(largest, bound);
}

TEST(NcclTraining, IsThatThroughHostMemory) {
  for (const bool sync : {false, true})
    for (const dist::Wire wire : {dist::Wire::f32, dist::Wire::f16})
      in_ranks(2, [&](Communicator& communicator) {
        Config config = config_of(Backend::mpi);
        config.dist.sync_batch_norm = sync;
        config.dist.wire = wire;
        const auto expected = trained(communicator, config);
        config.dist.backend = Backend::nccl;
        expect_close(trained(communicator, config), expected, wire == dist::Wire::f32 ? 1e-6 : 1e-4);
      });
}

TEST(NcclTraining, HasTheSameBitsReplayedOrNotOverlappedOrNot) {
  in_ranks(2, [](Communicator& communicator) {
    ::setenv("FAKE_NCCL_POLLS", "2", 1);
    Config config = config_of(Backend::automatic);
    config.dist.sync_batch_norm = true;
    const auto expected = trained(communicator, config);
    for (const bool graph : {false, true})
      for (const dist::Timing timing : {dist::Timing::overlap, dist::Timing::blocking}) {
        config.train.cuda_graph = graph;
        config.dist.timing = timing;
        EXPECT_EQ(trained(communicator, config), expected) << graph;
      }
  });
}

TEST(NcclTraining, SaysWhatCarriesGradients) {
  in_ranks(2, [](Communicator& communicator) {
    const auto route = [&](Backend backend) {
      const RankTraining training(communicator, config_of(backend));
      return training.exchange().route();
    };
    EXPECT_EQ(route(Backend::automatic), "NCCL 2.28.9");
    EXPECT_EQ(route(Backend::nccl), "NCCL 2.28.9");
    EXPECT_EQ(route(Backend::mpi), "files, through host memory");
    EXPECT_NE(Ranks(&communicator).table("a GPU", "NCCL").find("gradients: NCCL\n"), std::string::npos);
  });
  in_ranks(2, [](Communicator& communicator) {
    if (communicator.rank() == 1) ::setenv("PLUME_NCCL", "/nowhere.so", 1);
    const RankTraining training(communicator, config_of(Backend::automatic));
    const std::string& route = training.exchange().route();
    EXPECT_TRUE(route.starts_with("files, through host memory: on rank 1 NCCL cannot be opened")) << route;
  });
}

TEST(NcclTraining, IsRefusedOnAllRanksWhereItCannotBe) {
  in_ranks(2, [](Communicator& communicator) {
    if (communicator.rank() == 1) ::setenv("PLUME_NCCL", "/nowhere.so", 1);
    tests::expect_error(
        ErrorKind::environment, [&] { RankTraining(communicator, config_of(Backend::nccl)); },
        "dist.backend = nccl, but on rank 1 NCCL cannot be opened: /nowhere.so");
    Config config = config_of(Backend::nccl);
    config.train.device = tests::cpu;
    tests::expect_error(
        ErrorKind::input, [&] { RankTraining(communicator, config); }, "dist.backend = nccl", "compute on the CPU");
  });
}

// The whole of it, from the choice of GPUs to the checkpoint: with batch normalisation over all, the training of one.
TEST(NcclTraining, OfTwoIsThatOfOne) {
  const tests::ScratchFolder folder;
  in_ranks(1, [&](Communicator&) { static_cast<void>(tests::small_shard(folder, 3)); });
  const auto train_ranks = [&](int ranks) {
    const std::string name = fmt::format("run{}", ranks);
    in_ranks(ranks, [&](Communicator& communicator) {
      TrainOptions options;
      options.config = tests::small_config(folder / "tiles.h5");
      options.config.model.base = 2;
      options.config.model.depth = 1;
      options.config.train.batch = 3;  // of unequal shares
      options.config.train.crop = 16;
      options.config.train.class_share = 0;
      options.config.loss.dice = 0;  // is no sum over images
      options.config.train.steps = 3;
      options.config.train.threads = 1;
      options.config.optimizer.kind = nn::OptimizerSettings::Kind::sgd;
      options.config.dist.sync_batch_norm = true;
      options.output = folder / name;
      options.quiet = true;
      options.communicator = &communicator;
      EXPECT_EQ(train(options).progress.instruction_set.substr(0, 4), "CUDA");
    });
    const nn::SafetensorsFile file(folder / name / "last.safetensors");
    std::vector<float> all;
    for (const auto& tensor : file.tensors())
      for (const float value : file.floats(tensor.name)) all.push_back(value);
    return all;
  };
  const auto one = train_ranks(1);
  expect_close(train_ranks(2), one, 1e-5);
}

}  // namespace
}  // namespace plume::unet
