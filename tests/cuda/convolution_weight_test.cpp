// Weight and bias gradients by plume's own CUDA kernels, against the CPU.
#include <gtest/gtest.h>

#include "convolution_case.hpp"
#include "kernels/base/error.hpp"

namespace plume::tests {
namespace {

using kernels::ConvGeometry;

// f32 and bf16 give f32 gradients: the products of bf16 are exact.
template <class T>
class CudaWeightGradient : public OnCuda {
 protected:
  template <class Kind>
  void check(const ConvCase& problem) {
    DeviceConvRun<T, Kind> run(problem, f32_bound, *this->stream_, this->cpu_);
    run.check_backward_weight(false, problem.out % 3);
    run.check_backward_weight(true, 8);
  }
};
TYPED_TEST_SUITE(CudaWeightGradient, DeviceElements);

TYPED_TEST(CudaWeightGradient, KernelsStridesAndPads) {
  geometry_cases().each([this]<class Kind>(const ConvCase& problem) { this->template check<Kind>(problem); });
}

TYPED_TEST(CudaWeightGradient, ChannelCounts) {
  channel_cases().each([this]<class Kind>(const ConvCase& problem) { this->template check<Kind>(problem); });
}

TYPED_TEST(CudaWeightGradient, ConcatenatedSources) {
  source_cases().each([this]<class Kind>(const ConvCase& problem) { this->template check<Kind>(problem); });
}

TYPED_TEST(CudaWeightGradient, Batches) {
  batch_cases().each([this]<class Kind>(const ConvCase& problem) { this->template check<Kind>(problem); });
}

TYPED_TEST(CudaWeightGradient, EveryTileWidth) {
  for (const int out : {16, 32, 64, 128}) this->template check<OwnPlain>({1, 9, 19, {20}, out, same});
}

// Enough pixels for several parts, of which the last is shorter.
TYPED_TEST(CudaWeightGradient, ManyParts) {
  this->template check<OwnPlain>({2, 71, 73, {4}, 8, point});
  this->template check<OwnTransposed>({1, 41, 43, {9}, 3, twofold});
}

TYPED_TEST(CudaWeightGradient, NoImages) {
  using T = TypeParam;
  const kernels::Image<T> none(nullptr, 0, 4, 4, 2);
  const std::vector<double> before(4, 3.0);
  const DeviceVector<float> grad(*this->stream_, before);
  own::conv2d_backward_weight<T>(grad.data(), none, none, point, true, *this->stream_);
  EXPECT_EQ(grad.values(), std::vector<float>(4, 3.0F));
  own::conv2d_backward_weight<T>(grad.data(), none, none, point, false, *this->stream_);
  EXPECT_EQ(grad.values(), std::vector<float>(4, 0.0F));
}

TYPED_TEST(CudaWeightGradient, RefusesLargeKernels) {
  using T = TypeParam;
  const DevicePixels<T> image(*this->stream_, Array(1, 4, 4, 1));
  const ConvGeometry large{9, 1, {4, 4, 4, 4}};
  EXPECT_THROW(own::conv2d_backward_weight<T>(nullptr, image.image(), image.image(), large, true, *this->stream_),
               Error);
}

TYPED_TEST(CudaWeightGradient, GivesTheSameBitsAgain) {
  using T = TypeParam;
  const Array in = Array::random(1, 40, 41, 5, 1);
  const Array grad_out = Array::random(1, 40, 41, 7, 2);
  const DevicePixels<T> x(*this->stream_, in), grad(*this->stream_, grad_out);
  const std::vector<double> zeros(9 * 5 * 7);
  const DeviceVector<float> first(*this->stream_, zeros), second(*this->stream_, zeros);
  for (const auto* result : {&first, &second}) {
    own::conv2d_backward_weight<T>(result->data(), x.image(), grad.image(), same, false, *this->stream_);
  }
  EXPECT_EQ(first.values(), second.values());
}

// One TF32 product per f32 product: ten fraction bits of each operand.
class CudaWeightGradientTf32 : public OnCuda {
 protected:
  void SetUp() override {
    OnCuda::SetUp();
    if (stream_) stream_.emplace(0, kernels::MathMode::tf32);
  }
};

TEST_F(CudaWeightGradientTf32, IsNearF32) {
  for (const int out : {5, 16, 32, 64}) {
    DeviceConvRun<float, OwnPlain> run({2, 9, 8, {20}, out, same}, 0x1p-9, *stream_, cpu_);
    run.check_backward_weight(true);
  }
}

template <class T>
class CudaBiasGradient : public OnCuda {
 protected:
  void check(const Array& shape, int gap) {
    SCOPED_TRACE(testing::Message() << shape.n << 'x' << shape.h << 'x' << shape.w << 'x' << shape.c << " + " << gap);
    const Array grad_out = as_stored<T>(Array::random(shape.n, shape.h, shape.w, shape.c, 1));
    Pixels<double> host(grad_out);
    const DevicePixels<T> device(*this->stream_, grad_out, gap);
    const auto before = random_values(static_cast<std::size_t>(shape.c), 2);
    for (const bool add : {false, true}) {
      auto expected = before;
      kernels::bias_backward(expected.data(), kernels::Image<const double>(host.image()), add, this->cpu_);
      const DeviceVector<float> grad(*this->stream_, before);
      own::bias_backward(grad.data(), kernels::Image<const T>(device.image()), add, *this->stream_);
      expect_near(grad.values(), expected, f32_bound, "bias gradient", 1);
    }
  }
};
TYPED_TEST_SUITE(CudaBiasGradient, DeviceElements);

TYPED_TEST(CudaBiasGradient, ShapesAndStrides) {
  for (const auto& [n, h, w, c] : {std::array{1, 1, 1, 1},
                                   {5, 7, 3, 2},
                                   {2, 5, 7, 6},
                                   {3, 40, 23, 8},
                                   {1, 23, 51, 67},
                                   {2, 31, 17, 72},
                                   {1, 3, 5, 300}}) {
    for (const int gap : {0, 3, 8}) this->check(Array(n, h, w, c), gap);
  }
}

// More pixels than 512 parts of a few each.
TYPED_TEST(CudaBiasGradient, ManyPixels) {
  this->check(Array(1, 1031, 1021, 1), 0);
}

TYPED_TEST(CudaBiasGradient, NoImages) {
  using T = TypeParam;
  const DeviceVector<float> grad(*this->stream_, std::vector<double>(2, 3.0));
  own::bias_backward<T>(grad.data(), kernels::Image<T>(nullptr, 0, 4, 4, 2), false, *this->stream_);
  EXPECT_EQ(grad.values(), std::vector<float>(2, 0.0F));
}

}  // namespace
}  // namespace plume::tests
