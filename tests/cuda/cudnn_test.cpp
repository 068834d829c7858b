// cuDNN itself, without a device: it builds operation graphs, and its support check answers for a device that is
// described to it in its own JSON. So what plume will ask of an A100 and an H100 is known to be there.
#include <dlfcn.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

#include "../expect_error.hpp"
#include "kernels/cuda/cudnn/graphs.hpp"
#include "kernels/cuda/cudnn/plans.hpp"

namespace plume::tests {
namespace {

using namespace kernels::cuda;
using namespace kernels::cuda::cudnn;

// What cudaGetDeviceProperties says on these devices, in the form that cuDNN serialises it in.
constexpr std::string_view a100 = R"({"maxGridSize":[2147483647,65535,65535],"maxBlockSize":[1024,1024,64],
"regsPerBlock":65536,"multiProcessorCount":108,"warpSize":32,"maxSharedMemoryPerBlock":49152,
"maxSharedMemoryPerBlockOptin":166912,"reservedSharedMemoryPerBlock":1024,"maxRegistersPerSM":65536,"maxCtasPerSM":32,
"maxThreadsPerBlock":1024,"maxThreadsPerSM":2048,"pciDeviceId":0,"isTccDriver":0,"supportCoopLaunch":1,
"smClockRateKHz":1410000,"memClockRateKHz":1593000,"l2CacheSize":41943040,"deviceName":"NVIDIA A100-SXM4-80GB",
"deviceVer":800,"driverVer":13000,"totalGlobalMem":85899345920,"cudaDeviceId":0})";
constexpr std::string_view h100 = R"({"maxGridSize":[2147483647,65535,65535],"maxBlockSize":[1024,1024,64],
"regsPerBlock":65536,"multiProcessorCount":132,"warpSize":32,"maxSharedMemoryPerBlock":49152,
"maxSharedMemoryPerBlockOptin":232448,"reservedSharedMemoryPerBlock":1024,"maxRegistersPerSM":65536,"maxCtasPerSM":32,
"maxThreadsPerBlock":1024,"maxThreadsPerSM":2048,"pciDeviceId":0,"isTccDriver":0,"supportCoopLaunch":1,
"smClockRateKHz":1980000,"memClockRateKHz":2619000,"l2CacheSize":52428800,"deviceName":"NVIDIA H100 80GB HBM3",
"deviceVer":900,"driverVer":13000,"totalGlobalMem":85899345920,"cudaDeviceId":0})";

constexpr std::size_t limit = std::size_t{512} << 20U;

class Cudnn : public testing::TestWithParam<std::string_view> {
 protected:
  void SetUp() override {
    if (!available()) GTEST_SKIP() << "this machine has no cuDNN 9";
  }
};

// The device of the parameter; skips where this cuDNN describes devices in another way.
class CudnnDevice : public Cudnn {
 protected:
  void SetUp() override {
    Cudnn::SetUp();
    if (IsSkipped()) return;
    device_.emplace(CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR);
    const std::string_view json = GetParam();
    const auto status = api().set_attribute(device_->handle(), CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION,
                                            CUDNN_TYPE_CHAR, static_cast<std::int64_t>(json.size()), json.data());
    if (status != CUDNN_STATUS_SUCCESS || !device_->try_finalize()) {
      GTEST_SKIP() << "cuDNN " << api().get_version() << " takes no such description of a device";
    }
  }

  // The choices for a problem, of which none is looked for where it is not needed.
  std::vector<PlanChoice> choices(const ConvProblem& problem) {
    const PlanKey key{.problem = problem, .workspace_limit = limit};
    const Descriptor graph = make_graph(make_operations(problem), nullptr);
    std::vector<PlanChoice> result;
    for (const Descriptor& configuration : propose_configurations(key, graph, &*device_)) {
      result.push_back(choice_of(configuration));
    }
    return result;
  }

  void expect_supported(const ConvProblem& problem) {
    EXPECT_FALSE(choices(problem).empty()) << PlanKey{.problem = problem, .workspace_limit = limit}.text();
  }

  std::optional<Descriptor> device_;
};

ConvProblem convolution(int side, int c, int k, DType type = DType::bf16) {
  return {.n = 16, .h = side, .w = side, .c = c, .k = k, .geometry = {.kernel = 3, .pad = {1, 1, 1, 1}}, .type = type};
}

constexpr std::array directions{ConvDirection::forward, ConvDirection::backward_data, ConvDirection::backward_weight};

// The convolutions of U-Nets from 16 to 64 channels at the top: the first (3 bands, padded), the middle, the deepest.
std::vector<ConvProblem> network() {
  return {convolution(256, 8, 64),   convolution(256, 8, 16),    convolution(256, 16, 16),  convolution(256, 64, 64),
          convolution(128, 64, 128), convolution(16, 512, 1024), convolution(32, 1024, 512)};
}

TEST_F(Cudnn, BuildsEveryPattern) {
  for (const ConvDirection direction : directions) {
    ConvProblem problem = convolution(32, 64, 32);
    problem.direction = direction;
    EXPECT_EQ(make_operations(problem).size(), 1U);
    static_cast<void>(make_graph(make_operations(problem), nullptr));
  }
  for (const bool sum : {false, true}) {
    for (const bool bias : {false, true}) {
      for (const bool relu : {false, true}) {
        ConvProblem problem = convolution(32, 64, 32);
        problem.sum = sum;
        problem.bias = bias;
        problem.relu = relu;
        const auto operations = make_operations(problem);
        EXPECT_EQ(operations.size(), 1U + (sum ? 1U : 0U) + (bias ? 1U : 0U) + (relu ? 1U : 0U));
        static_cast<void>(make_graph(operations, nullptr));
      }
    }
  }
}

TEST_F(Cudnn, TakesThePointersOfEveryPattern) {
  std::array<float, 6> memory{};
  for (const ConvDirection direction : directions) {
    ConvProblem problem = convolution(32, 64, 32);
    problem.direction = direction;
    problem.sum = problem.bias = direction == ConvDirection::forward;
    const ConvOperands operands{.image = &memory[0],
                                .weight = &memory[1],
                                .output = &memory[2],
                                .sum = &memory[3],
                                .bias = &memory[4],
                                .result = &memory[5]};
    EXPECT_NO_THROW(static_cast<void>(make_variant_pack(problem, operands, nullptr)));
  }
}

// What cuDNN refuses is an error that says what it found.
TEST_F(Cudnn, SaysWhatIsWrong) {
  ConvProblem problem = convolution(32, 64, 32);
  problem.c = 0;
  expect_error(
      ErrorKind::environment, [&] { static_cast<void>(make_operations(problem)); }, "cuDNN", "BAD_PARAM");
}

TEST_P(CudnnDevice, PlainConvolutions) {
  for (const DType type : {DType::bf16, DType::f32}) {
    for (const bool tf32 : {false, true}) {
      if (tf32 && type != DType::f32) continue;
      for (ConvProblem problem : network()) {
        for (const ConvDirection direction : directions) {
          problem.type = type;
          problem.tf32 = tf32;
          problem.direction = direction;
          expect_supported(problem);
        }
      }
    }
  }
}

TEST_P(CudnnDevice, StridesAndPoints) {
  for (const auto& geometry :
       {kernels::ConvGeometry{.kernel = 3, .stride = 2, .pad = {1, 1, 1, 1}}, kernels::ConvGeometry{.kernel = 1}}) {
    for (const ConvDirection direction : directions) {
      ConvProblem problem = convolution(64, 64, 64);
      problem.geometry = geometry;
      problem.direction = direction;
      expect_supported(problem);
    }
  }
}

// cuDNN compiles these for bf16 when they are used, and wants the driver's library for that.
bool has_driver() {
  return ::dlopen("libcuda.so.1", RTLD_NOW) != nullptr || ::dlopen(PLUME_DRIVER_STUB, RTLD_NOW) != nullptr;
}

TEST_P(CudnnDevice, FusedForward) {
  const bool compiles = has_driver();
  for (ConvProblem problem : network()) {
    for (const bool sum : {false, true}) {
      problem.sum = sum;
      problem.bias = problem.relu = true;
      problem.bias_alignment = sum ? 4 : 16;
      problem.type = DType::f32;
      problem.tf32 = true;
      expect_supported(problem);
      problem.type = DType::bf16;
      problem.tf32 = false;
      if (compiles) expect_supported(problem);
    }
  }
  if (!compiles) GTEST_SKIP() << "bf16 was left out: no CUDA driver here, nor the toolkit's stub of one";
}

// What the file of plans keeps is enough to find the same engine with the same knobs again.
TEST_P(CudnnDevice, ChoicesAreRestored) {
  for (const ConvDirection direction : directions) {
    ConvProblem problem = convolution(64, 64, 64);
    problem.direction = direction;
    const Descriptor graph = make_graph(make_operations(problem), nullptr);
    const auto all = choices(problem);
    for (std::size_t i = 0; i < std::min<std::size_t>(all.size(), 5); ++i) {
      EXPECT_EQ(choice_of(configure(all[i], graph, &*device_)), all[i]);
    }
  }
}

TEST_P(CudnnDevice, UnknownEnginesAreRefused) {
  const Descriptor graph = make_graph(make_operations(convolution(64, 64, 64)), nullptr);
  expect_error(
      ErrorKind::environment,
      [&] { static_cast<void>(configure({.engine = 12345, .knobs = {}, .milliseconds = 0}, graph, &*device_)); },
      "cuDNN");
}

INSTANTIATE_TEST_SUITE_P(, CudnnDevice, testing::Values(a100, h100),
                         [](const auto& info) { return info.param == a100 ? "A100" : "H100"; });

}  // namespace
}  // namespace plume::tests
