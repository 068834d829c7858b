// Convolutions through cuDNN and cuBLASLt on a device, against the CPU's, and the environment variables that steer them.
#include "kernels/vendor_libraries.hpp"

#include <gtest/gtest.h>

#include <cstdlib>

#include "../expect_error.hpp"
#include "../scratch_folder.hpp"
#include "kernels/cuda/stream_libraries.hpp"
#include "library_case.hpp"

namespace plume::tests {
namespace {

constexpr kernels::ConvGeometry same{.kernel = 3, .pad = {1, 1, 1, 1}};

// Plans go to a folder of the test's own: it neither uses nor leaves any of the user's.
template <class T>
class VendorLibraries : public OnCuda {
 protected:
  void SetUp() override {
    ::setenv("PLUME_PLAN_CACHE", (folder_ / "plans").c_str(), 1);
    ::unsetenv("PLUME_CONVOLUTION");
    OnCuda::SetUp();
    if (!stream_) return;
    kernels::use_vendor_libraries(*stream_);
    if (!kernels::cuda::libraries_of(*stream_).convolutions) GTEST_SKIP() << "this machine has no cuDNN 9";
    if (!kernels::cuda::libraries_of(*stream_).products) GTEST_SKIP() << "this machine has no cuBLASLt";
  }

  // Weight gradients are rounded to T, and so is every partial sum between two sources.
  template <class Kind>
  DeviceConvRun<T, Kind> run(const ConvCase& problem) {
    const double rounded = static_cast<double>(problem.sources.size()) * device_roundings<T>(1);
    return {problem, f32_bound + rounded, *stream_, cpu_};
  }

  ScratchFolder folder_;
};
TYPED_TEST_SUITE(VendorLibraries, DeviceElements);

TYPED_TEST(VendorLibraries, Convolutions) {
  const kernels::ConvGeometry point{.kernel = 1};
  const kernels::ConvGeometry halving{.kernel = 3, .stride = 2, .pad = {1, 1, 1, 1}};
  for (const ConvCase& problem : {ConvCase{2, 16, 12, {64}, 32, same},
                                  {1, 9, 7, {3}, 16, same},
                                  {1, 12, 8, {32, 64}, 32, same},
                                  {2, 8, 8, {64}, 64, point},
                                  {1, 16, 16, {16}, 32, halving}}) {
    auto run = this->template run<LibraryPlain>(problem);
    for (const bool bias : {false, true}) {
      for (const bool relu : {false, true}) run.check_forward(bias, relu);
    }
    for (const bool add : {false, true}) {
      run.check_backward_weight(add);
      if (problem.in() % 8 == 0) run.check_backward_data(add);
    }
  }
  EXPECT_TRUE(std::filesystem::exists(this->folder_ / "plans"));
}

// The plans of one stream serve the next, from the file, and give the same bits.
TYPED_TEST(VendorLibraries, PlansOfTheFileGiveTheSameBits) {
  using T = TypeParam;
  const Array in = as_stored<T>(Array::random(2, 16, 16, 64, 1));
  const auto weight = as_stored<T>(random_values(9 * 64 * 64, 2));
  std::vector<double> first;
  for (int round = 0; round < 3; ++round) {
    kernels::CudaStream stream;
    kernels::use_vendor_libraries(stream);
    const DevicePixels<T> x(stream, in), y(stream, in.like());
    const DeviceVector<T> w(stream, weight);
    ASSERT_TRUE(kernels::cuda::cudnn::conv2d_forward<T>(y.image(), x.image(), w.data(), nullptr, same, true, stream));
    if (round == 0) first = y.array().values;
    EXPECT_EQ(y.array().values, first);
  }
}

TYPED_TEST(VendorLibraries, TransposedConvolutions) {
  const kernels::ConvGeometry doubling{.kernel = 2, .stride = 2};
  for (const ConvCase& problem : {ConvCase{2, 8, 6, {64}, 32, doubling}, {1, 5, 3, {24}, 8, doubling}}) {
    auto run = this->template run<LibraryTransposed>(problem);
    for (const bool bias : {false, true}) run.check_forward(bias, bias);
    for (const bool add : {false, true}) {
      run.check_backward_data(add);
      run.check_backward_weight(add);
    }
  }
}

TYPED_TEST(VendorLibraries, TheEnvironmentChooses) {
  kernels::CudaStream stream;
  ::setenv("PLUME_CONVOLUTION", "own", 1);
  kernels::use_vendor_libraries(stream);
  EXPECT_FALSE(kernels::cuda::libraries_of(stream).convolutions || kernels::cuda::libraries_of(stream).products);
  ::setenv("PLUME_CONVOLUTION", "cudnn", 1);
  kernels::use_vendor_libraries(stream);
  EXPECT_TRUE(kernels::cuda::libraries_of(stream).convolutions && kernels::cuda::libraries_of(stream).products);
}

}  // namespace
}  // namespace plume::tests
