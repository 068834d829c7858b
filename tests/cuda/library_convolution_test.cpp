// How convolutions are brought to cuDNN and cuBLASLt: layouts, padding, several sources, sums; with stand-ins for both.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

#include "../expect_error.hpp"
#include "kernels/cuda/stream_libraries.hpp"
#include "kernels/vendor_libraries.hpp"
#include "library_case.hpp"
#include "library_stand_ins.hpp"

namespace plume::tests {
namespace {

template <class T>
class LibraryConvolution : public OnCuda {
 protected:
  void SetUp() override {
    OnCuda::SetUp();
    if (!stream_) return;
    kernels::cuda::libraries_of(*stream_).convolutions = std::make_unique<ConvStandIn>(convolutions_);
    kernels::cuda::libraries_of(*stream_).products = std::make_unique<ProductStandIn>(products_);
  }

  template <class Kind>
  DeviceConvRun<T, Kind> run(const ConvCase& problem) {
    // Weight gradients are rounded to T, and so is every partial sum between two sources.
    const double rounded = static_cast<double>(problem.sources.size()) * device_roundings<T>(1);
    return {problem, f32_bound + rounded, *stream_, cpu_};
  }

  std::vector<ConvProblem> convolutions_;
  std::vector<MatrixProduct> products_;
};
TYPED_TEST_SUITE(LibraryConvolution, DeviceElements);

constexpr kernels::ConvGeometry same{.kernel = 3, .pad = {1, 1, 1, 1}};
constexpr kernels::ConvGeometry point{.kernel = 1};
constexpr kernels::ConvGeometry halving{.kernel = 3, .stride = 2, .pad = {0, 1, 1, 0}};
constexpr kernels::ConvGeometry doubling{.kernel = 2, .stride = 2};

// Sources that are read where they are, and such as are copied: channels to pad, strides that are no packs or wider.
const std::vector<ConvCase> cases{{2, 5, 4, {8}, 16, same},         {1, 3, 4, {3}, 8, same},
                                  {1, 4, 3, {8, 16}, 8, same},      {1, 3, 3, {5, 8, 16}, 8, point},
                                  {1, 3, 2, {8, 8, 8, 8}, 8, same}, {2, 7, 5, {16}, 8, halving}};

TYPED_TEST(LibraryConvolution, Forward) {
  for (const ConvCase& problem : cases) {
    auto run = this->template run<LibraryPlain>(problem);
    for (const bool bias : {false, true}) {
      for (const bool relu : {false, true}) run.check_forward(bias, relu);
    }
  }
}

TYPED_TEST(LibraryConvolution, BackwardData) {
  for (const ConvCase& problem : cases) {
    if (std::any_of(problem.sources.begin(), problem.sources.end(), [](int c) { return c % 8 != 0; })) continue;
    auto run = this->template run<LibraryPlain>(problem);
    for (const bool add : {false, true}) run.check_backward_data(add);
  }
}

TYPED_TEST(LibraryConvolution, BackwardWeight) {
  for (const ConvCase& problem : cases) {
    auto run = this->template run<LibraryPlain>(problem);
    for (const bool add : {false, true}) run.check_backward_weight(add);
  }
}

// The library is asked for nothing that it was not asked about, and for whole packs of channels alone.
TYPED_TEST(LibraryConvolution, ProblemsAreThoseOfThePattern) {
  this->template run<LibraryPlain>({1, 4, 4, {3, 8}, 8, same}).check_forward(true, true);
  ASSERT_EQ(this->convolutions_.size(), 2U);
  const ConvProblem& first = this->convolutions_[0];
  const ConvProblem& last = this->convolutions_[1];
  EXPECT_EQ(first.c, (std::is_same_v<TypeParam, float>) ? 4 : 8);
  EXPECT_FALSE(first.sum || first.bias || first.relu);
  EXPECT_TRUE(last.sum && last.bias && last.relu);
  EXPECT_EQ(first.type, dtype_of<TypeParam>());
  EXPECT_FALSE(first.tf32);
}

// Where one source has no plan, none is run: the caller's other way begins with clean memory.
TYPED_TEST(LibraryConvolution, AllSourcesOrNone) {
  using T = TypeParam;
  kernels::cuda::libraries_of(*this->stream_).convolutions =
      std::make_unique<ConvStandIn>(this->convolutions_, [](const ConvProblem& problem) { return problem.c == 8; });
  const DevicePixels<T> a(*this->stream_, Array(1, 3, 3, 8)), b(*this->stream_, Array(1, 3, 3, 16)),
      out(*this->stream_, Array(1, 3, 3, 8));
  const DeviceVector<T> weight(*this->stream_, std::vector<double>(9 * 24 * 8));
  const DeviceVector<float> gradient(*this->stream_, std::vector<double>(9 * 24 * 8));
  kernels::Sources<T> sources(a.image());
  sources.add(b.image());
  EXPECT_FALSE(kernels::cuda::cudnn::conv2d_forward<T>(out.image(), sources, weight.data(), nullptr, same, false,
                                                       *this->stream_));
  EXPECT_FALSE(kernels::cuda::cudnn::conv2d_backward_weight<T>(gradient.data(), sources, out.image(), same, true,
                                                               *this->stream_));
  EXPECT_TRUE(this->convolutions_.empty());
}

// What no library takes: channels of the output that are no whole packs, or pixels with a gap between them.
TYPED_TEST(LibraryConvolution, OutputsMustBePacked) {
  using T = TypeParam;
  const DevicePixels<T> in(*this->stream_, Array(1, 3, 3, 8)), narrow(*this->stream_, Array(1, 3, 3, 3)),
      spread(*this->stream_, Array(1, 3, 3, 8), 8);
  const DeviceVector<T> weight(*this->stream_, std::vector<double>(9 * 8 * 8));
  for (const auto* out : {&narrow, &spread}) {
    EXPECT_FALSE(kernels::cuda::cudnn::conv2d_forward<T>(out->image(), in.image(), weight.data(), nullptr, same, false,
                                                         *this->stream_));
    EXPECT_FALSE(kernels::cuda::cudnn::conv2d_backward_data<T>(in.image(), out->image(), weight.data(), {0, 8}, same,
                                                               false, *this->stream_));
  }
  EXPECT_FALSE(kernels::cuda::cudnn::conv2d_backward_data<T>(narrow.image(), in.image(), weight.data(), {0, 3}, same,
                                                             false, *this->stream_));
}

TYPED_TEST(LibraryConvolution, NoneWithoutALibrary) {
  using T = TypeParam;
  kernels::CudaStream bare;
  const DevicePixels<T> in(bare, Array(1, 2, 2, 8)), out(bare, Array(1, 2, 2, 8)), large(bare, Array(1, 4, 4, 8));
  const DeviceVector<T> weight(bare, std::vector<double>(9 * 8 * 8));
  EXPECT_FALSE(
      kernels::cuda::cudnn::conv2d_forward<T>(out.image(), in.image(), weight.data(), nullptr, same, false, bare));
  EXPECT_FALSE(kernels::cuda::cublaslt::conv_transpose2d_forward<T>(large.image(), in.image(), weight.data(), nullptr,
                                                                    doubling, false, bare));
}

TYPED_TEST(LibraryConvolution, TheEnvironmentIsChecked) {
  kernels::CudaStream stream;
  ::setenv("PLUME_CONVOLUTION", "own", 1);
  kernels::use_vendor_libraries(stream);
  EXPECT_FALSE(kernels::cuda::libraries_of(stream).convolutions || kernels::cuda::libraries_of(stream).products);
  ::setenv("PLUME_CONVOLUTION", "abacus", 1);
  expect_error(
      ErrorKind::usage, [&] { kernels::use_vendor_libraries(stream); }, "PLUME_CONVOLUTION=abacus", "own, cudnn");
  ::unsetenv("PLUME_CONVOLUTION");
}

TYPED_TEST(LibraryConvolution, Transposed) {
  const kernels::ConvGeometry tripling{.kernel = 3, .stride = 3};
  for (const ConvCase& problem :
       {ConvCase{2, 3, 5, {8}, 8, doubling}, {1, 2, 3, {7}, 5, doubling}, {1, 3, 2, {5}, 16, tripling}}) {
    auto run = this->template run<LibraryTransposed>(problem);
    run.check_forward(false, true);
    run.check_forward(true, false, 3);
    for (const bool add : {false, true}) {
      run.check_backward_data(add);
      run.check_backward_weight(add);
    }
  }
  EXPECT_FALSE(this->products_.empty());
}

// A slice of the channels of several sources, and pixels with gaps between them.
TYPED_TEST(LibraryConvolution, TransposedBackwardDataOfSlices) {
  auto run = this->template run<LibraryTransposed>({1, 2, 3, {8, 5, 16}, 8, doubling});
  for (const bool add : {false, true}) run.check_backward_data(add);
}

TYPED_TEST(LibraryConvolution, TransposedOnlyWhereItIsAProduct) {
  using T = TypeParam;
  const DevicePixels<T> in(*this->stream_, Array(1, 2, 2, 8)), out(*this->stream_, Array(1, 4, 4, 8));
  const DeviceVector<T> weight(*this->stream_, std::vector<double>(9 * 8 * 8));
  const kernels::ConvGeometry overlapping{.kernel = 3, .stride = 2, .pad = {0, 0, 1, 1}};
  EXPECT_FALSE(kernels::cuda::cublaslt::conv_transpose2d_forward<T>(out.image(), in.image(), weight.data(), nullptr,
                                                                    overlapping, false, *this->stream_));
}

}  // namespace
}  // namespace plume::tests
