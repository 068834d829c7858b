// Forward convolutions and data gradients by plume's own CUDA kernels, against the CPU.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "convolution_case.hpp"
#include "kernels/base/error.hpp"

namespace plume::tests {
namespace {

using kernels::ConvGeometry;

template <class T>
class CudaGather : public OnCuda {
 protected:
  template <class Kind>
  void check(const ConvCase& problem) {
    DeviceConvRun<T, Kind> run(problem, f32_bound, *this->stream_, this->cpu_);
    run.check_forward(true, false, problem.out % 3);
    run.check_forward(false, true, 8);
    run.check_backward_data(false);
    run.check_backward_data(true);
  }
};
TYPED_TEST_SUITE(CudaGather, DeviceElements);
using CudaGatherBf16 = OnCuda;

TYPED_TEST(CudaGather, KernelsStridesAndPads) {
  geometry_cases().each([this]<class Kind>(const ConvCase& problem) { this->template check<Kind>(problem); });
}

TYPED_TEST(CudaGather, ChannelCounts) {
  channel_cases().each([this]<class Kind>(const ConvCase& problem) { this->template check<Kind>(problem); });
}

TYPED_TEST(CudaGather, ConcatenatedSources) {
  source_cases().each([this]<class Kind>(const ConvCase& problem) { this->template check<Kind>(problem); });
}

TYPED_TEST(CudaGather, Batches) {
  batch_cases().each([this]<class Kind>(const ConvCase& problem) { this->template check<Kind>(problem); });
}

// Tiles are as wide as the channels where the grid has a block for each multiprocessor.
TYPED_TEST(CudaGather, EveryTileWidth) {
  for (const int out : {16, 32, 64, 128}) {
    DeviceConvRun<TypeParam, OwnPlain> run({1, 5, 129, {20}, out, same}, f32_bound, *this->stream_, this->cpu_);
    run.check_forward(true, true);
  }
}

TYPED_TEST(CudaGather, LargeEnoughForAnyDevice) {
  DeviceConvRun<TypeParam, OwnPlain> run({1, 150, 129, {9}, 66, point}, f32_bound, *this->stream_, this->cpu_);
  run.check_forward(true, true);
}

TYPED_TEST(CudaGather, PoolsInTheSamePass) {
  for (const auto& [rows, columns] : {std::array{2, 2}, {3, 3}, {5, 8}, {12, 15}}) {
    for (const auto& [out, gap] : {std::array{3, 0}, {8, 8}, {17, 5}, {40, 0}, {72, 8}}) {
      DeviceConvRun<TypeParam, OwnPlain>({2, rows, columns, {5}, out, same}, f32_bound, *this->stream_, this->cpu_)
          .check_pooled(gap);
    }
  }
}

TYPED_TEST(CudaGather, PoolKeepsNan) {
  using T = TypeParam;
  Array in = Array::random(1, 4, 4, 1, 1);
  in(0, 1, 2, 0) = std::numeric_limits<double>::quiet_NaN();
  const DevicePixels<T> from(*this->stream_, in), to(*this->stream_, in.like()),
      pooled(*this->stream_, Array(1, 2, 2, 1));
  const DeviceVector<T> weight(*this->stream_, std::vector<double>{1.0});
  own::conv2d_pool_forward<T>(to.image(), pooled.image(), from.image(), weight.data(), nullptr, point, true,
                              *this->stream_);
  const Array result = pooled.array();
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(std::isnan(result.values[i]), i == 1);
}

TYPED_TEST(CudaGather, ReluKeepsNan) {
  using T = TypeParam;
  Array in(1, 1, 1, 1);
  in.values = {std::numeric_limits<double>::quiet_NaN()};
  const DevicePixels<T> from(*this->stream_, in), to(*this->stream_, Array(1, 1, 1, 17));
  const DeviceVector<T> weight(*this->stream_, std::vector<double>(17, 1.0));
  own::conv2d_forward<T>(to.image(), from.image(), weight.data(), nullptr, point, true, *this->stream_);
  for (const double value : to.array().values) EXPECT_TRUE(std::isnan(value));
}

// What fills the last chunk of depth reads no pixel: zero times infinity would be NaN. (Split f32 operands give NaN.)
TEST_F(CudaGatherBf16, InfinityStaysInfinite) {
  Array in(1, 4, 4, 1);
  in.values.assign(in.values.size(), std::numeric_limits<double>::infinity());
  const DevicePixels<bf16> from(*stream_, in), to(*stream_, in.like());
  const DeviceVector<bf16> weight(*stream_, std::vector<double>(9, 1.0));
  own::conv2d_forward<bf16>(to.image(), from.image(), weight.data(), nullptr, same, false, *stream_);
  EXPECT_EQ(to.array().values, in.values);
}

// Nor has it weights of other taps: here each of a window's four pixels has its own.
TEST_F(CudaGatherBf16, AnotherTapsInfinityStaysThere) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  Array in(1, 2, 2, 1), expected(1, 4, 4, 1);
  in.values.assign(in.values.size(), 1.0);
  for_each(expected,
           [&](int n, int y, int x, int c) { expected(n, y, x, c) = y % 2 == 0 && x % 2 == 1 ? infinity : 1; });
  const DevicePixels<bf16> from(*stream_, in), to(*stream_, expected.like());
  const DeviceVector<bf16> weight(*stream_, std::vector<double>{1, infinity, 1, 1});
  own::conv_transpose2d_forward<bf16>(to.image(), from.image(), weight.data(), nullptr, twofold, false, *stream_);
  EXPECT_EQ(to.array().values, expected.values);
}

// A source may be a slice of a wider buffer: the channels beside it are not read, not even to be multiplied by zero.
TYPED_TEST(CudaGather, NeighbouringChannelsDoNotMatter) {
  using T = TypeParam;
  Array wide(1, 4, 4, 16);
  for_each(wide, [&](int n, int y, int x, int c) {
    wide(n, y, x, c) = c < 3 ? 1 : std::numeric_limits<double>::quiet_NaN();
  });
  const DevicePixels<T> from(*this->stream_, wide), to(*this->stream_, Array(1, 4, 4, 1));
  const DeviceVector<T> weight(*this->stream_, std::vector<double>(3, 1.0));
  own::conv2d_forward<T>(to.image(), from.image().channels(0, 3), weight.data(), nullptr, point, false, *this->stream_);
  EXPECT_EQ(to.array().values, std::vector<double>(16, 3.0));
}

TYPED_TEST(CudaGather, NoImages) {
  using T = TypeParam;
  const kernels::Image<T> none(nullptr, 0, 4, 4, 3);
  own::conv2d_forward<T>(none, none, nullptr, nullptr, same, true, *this->stream_);
  this->stream_->synchronize();
}

TYPED_TEST(CudaGather, RefusesLargeKernels) {
  using T = TypeParam;
  const DevicePixels<T> image(*this->stream_, Array(1, 4, 4, 1));
  EXPECT_THROW(own::conv2d_forward<T>(image.image(), image.image(), nullptr, nullptr, ConvGeometry{9, 1, {4, 4, 4, 4}},
                                      true, *this->stream_),
               Error);
}

// One TF32 product per f32 product: ten fraction bits of each operand.
class CudaGatherTf32 : public OnCuda {
 protected:
  void SetUp() override {
    OnCuda::SetUp();
    if (stream_) stream_.emplace(0, kernels::MathMode::tf32);
  }
};

TEST_F(CudaGatherTf32, IsNearF32) {
  for (const int out : {5, 16, 32, 64}) {
    DeviceConvRun<float, OwnPlain> run({2, 17, 16, {20}, out, same}, 0x1p-9, *stream_, cpu_);
    run.check_forward(true, true);
    run.check_backward_data(true);
  }
}

}  // namespace
}  // namespace plume::tests
