// Trainings on CUDA: a checkpoint goes on on the CPU, predictions are the CPU's, and the devices can be compared.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "../expect_error.hpp"
#include "device_step.hpp"
#include "small_training.hpp"
#include "unet/compare.hpp"
#include "unet/inference/model_file.hpp"
#include "unet/inference/predict.hpp"
#include "unet/train.hpp"

namespace plume::unet {
namespace {

class DeviceTraining : public testing::Test {
 protected:
  void SetUp() override {
    if (kernels::cuda_device_count() == 0) GTEST_SKIP() << "no CUDA device";
  }
};

TEST_F(DeviceTraining, GoesOnOnTheCpuAndBack) {
  const tests::ScratchFolder folder;
  Config config = tests::small_config(tests::small_shard(folder, 3));
  config.model.base = 2;
  config.model.depth = 1;
  config.train.batch = 2;
  config.train.crop = 16;
  config.train.class_share = 0;
  config.train.steps = 3;
  config.train.validate_every = 1000;
  config.schedule.kind = ScheduleSettings::Kind::constant;
  config.schedule.warmup = 0;  // its length is a share of all steps
  const auto run = [&](const std::string& name, DeviceKind device, std::int64_t steps, bool resume) {
    TrainOptions options;
    options.config = config;
    options.config.train.device.kind = device;
    options.config.train.steps = steps;
    options.output = folder / name;
    options.quiet = true;
    if (resume) options.resume = folder / name / "last.safetensors";
    return train(options);
  };
  EXPECT_EQ(run("mixed", DeviceKind::cuda, 2, false).progress.instruction_set.substr(0, 4), "CUDA");
  static_cast<void>(run("mixed", DeviceKind::cpu, 4, true));
  const TrainOutcome mixed = run("mixed", DeviceKind::cuda, 6, true);
  const TrainOutcome cpu = run("cpu", DeviceKind::cpu, 6, false);
  EXPECT_EQ(mixed.progress.step, 6);
  EXPECT_NEAR(mixed.last_loss, cpu.last_loss, 1e-5 * cpu.last_loss);
  const Network ours = load_model(folder / "mixed" / "last.safetensors");
  const Network theirs = load_model(folder / "cpu" / "last.safetensors");
  for (const auto& info : ours.parameters().all()) {
    const auto a = ours.parameters().to_named(info).values;
    const auto b = theirs.parameters().to_named(info).values;
    double largest = 0;
    for (std::size_t i = 0; i < a.size(); ++i) largest = std::max(largest, std::abs(double{a[i]} - double{b[i]}));
    EXPECT_LE(largest, 1e-4) << info.name;
  }
}

TEST_F(DeviceTraining, PredictsAsTheCpu) {
  for (const auto& [classes, precision, bound] :
       {std::tuple{1, Precision::f32, 1e-5}, {3, Precision::f32, 1e-5}, {1, Precision::bf16, 3e-2}}) {
    SCOPED_TRACE(classes);
    const Graph graph = build_graph({Family::classic, tests::device_bands, classes, 4, 2, Up::bilinear, 8});
    const data::Batch batch = tests::drawn_batch(1, 3);
    const auto predict = [&](const DeviceSettings& device) {
      kernels::Stream stream = make_stream(device, 1);
      Network network(graph, element_type(device.precision), Fusion::on, &stream);
      nn::initialize(network.parameters(), nn::Initializer::he, 1);
      Predictor predictor(network);
      const auto first = predictor.probabilities(data::values_of(batch), 1, tests::device_edge - 3, tests::device_edge);
      EXPECT_EQ(first, predictor.probabilities(data::values_of(batch), 1, tests::device_edge - 3, tests::device_edge));
      return first;
    };
    const auto ours = predict({DeviceKind::cuda, precision});
    const auto theirs = predict({DeviceKind::cpu, Precision::f32});
    ASSERT_EQ(ours.size(), theirs.size());
    for (std::size_t i = 0; i < ours.size(); ++i) EXPECT_NEAR(ours[i], theirs[i], bound);
  }
}

TEST_F(DeviceTraining, ComparesDevicesLayerByLayer) {
  const Graph graph = build_graph({Family::pixel_detector, tests::device_bands, 1, 3, 1, Up::transposed, 4});
  Network network(graph);
  nn::initialize(network.parameters(), nn::Initializer::he, 1);
  std::vector<nn::NamedTensor> tensors;
  for (const auto& info : network.parameters().all()) tensors.push_back(network.parameters().to_named(info));
  const Comparison result = compare_devices(graph, tensors, {DeviceKind::cpu, Precision::f32}, {DeviceKind::cuda});
  EXPECT_LE(result.worst, comparison_tolerance(Precision::f32));
  EXPECT_GT(result.worst, 0);  // rounding differs
  EXPECT_EQ(result.outputs.back().layer, graph.layers.back().name);
  EXPECT_GT(result.gradients.size(), 3U);
}

TEST_F(DeviceTraining, PrecisionsBelongToCuda) {
  tests::expect_error(
      ErrorKind::usage,
      [] {
        static_cast<void>(make_stream({DeviceKind::cpu, Precision::bf16}, 1));
      },
      "bf16", "CUDA");
  EXPECT_TRUE(std::holds_alternative<kernels::CudaStream>(make_stream({}, 1)));
  EXPECT_TRUE(std::holds_alternative<kernels::CpuStream>(make_stream({DeviceKind::cpu}, 1)));
}

}  // namespace
}  // namespace plume::unet
