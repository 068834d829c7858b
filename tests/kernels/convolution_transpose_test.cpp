// Transposed convolutions against the definition, and as the adjoint of convolutions.
#include <gtest/gtest.h>

#include "conv_case.hpp"
#include "kernels/convolution.hpp"

namespace plume::tests {
namespace {

using kernels::ConvGeometry;

constexpr ConvGeometry twofold{2, 2, {}};         // PyTorch's ConvTranspose2d(2, stride 2)
constexpr ConvGeometry same{3, 2, {0, 0, 1, 1}};  // TensorFlow's 3x3, stride 2, padding 'same'
constexpr ConvGeometry plain{3, 1, {1, 1, 1, 1}};
constexpr ConvGeometry uneven{5, 2, {2, 1, 0, 2}};

template <class T>
class ConvolutionTranspose : public OnInstructionSet {
 protected:
  kernels::CpuStream stream_{1};  // threads_test.cpp shows that more give the same bits
};
using Elements = testing::Types<float, double>;
TYPED_TEST_SUITE(ConvolutionTranspose, Elements);

TYPED_TEST(ConvolutionTranspose, EverySizeAndGeometry) {
  for (const ConvGeometry& geometry : {twofold, same, plain, uneven}) {
    for (const auto& [rows, columns] : {std::array{1, 1}, {2, 3}, {5, 7}, {16, 9}, {19, 11}}) {
      for (const int batch : {1, 3}) {
        ConvRun<TypeParam, Transposed>({batch, rows, columns, {6}, 17, geometry}).check(this->stream_);
      }
    }
  }
}

TYPED_TEST(ConvolutionTranspose, ChannelCounts) {
  const std::vector<int> counts{1, 3, 6, 16, 17, 24, 33, 48, 64, 100};
  for (std::size_t i = 0; i < counts.size(); ++i) {
    const int out = counts[(i * 7 + 3) % counts.size()];
    ConvRun<TypeParam, Transposed>({1, 3, 4, {counts[i]}, out, twofold}).check(this->stream_);
    ConvRun<TypeParam, Transposed>({3, 4, 3, {out}, counts[i], same}).check(this->stream_);
  }
}

TYPED_TEST(ConvolutionTranspose, ConcatenatedSources) {
  for (const auto& split : {std::vector<int>{16, 16}, {3, 30}, {5, 11, 8, 7}}) {
    ConvRun<TypeParam, Transposed>({3, 5, 4, split, 24, twofold}).check(this->stream_);
    ConvRun<TypeParam, Transposed>({1, 4, 5, split, 3, same}).check(this->stream_);
  }
}

// TensorFlow: an input of h rows gives 2h, PyTorch's too.
TYPED_TEST(ConvolutionTranspose, DoublesRowsAndColumns) {
  for (const ConvGeometry& geometry : {twofold, same}) {
    EXPECT_EQ(geometry.transposed_rows(7), 14);
    EXPECT_EQ(geometry.transposed_columns(4), 8);
  }
}

// <conv(x), y> = <x, transposed(y)> for the same kernel, with input and output channels of the weights swapped.
TYPED_TEST(ConvolutionTranspose, IsTheAdjointOfConvolution) {
  using T = TypeParam;
  for (const ConvGeometry& geometry : {twofold, same, plain, uneven}) {
    const Array y = Array::random(2, 5, 6, 9, 1);
    const Array x = Array::random(2, geometry.transposed_rows(y.h), geometry.transposed_columns(y.w), 7, 2);
    Weights weight(geometry.kernel, x.c, y.c);
    weight.values = random_values(weight.values.size(), 3);
    Weights swapped(geometry.kernel, y.c, x.c);
    for (int r = 0; r < weight.kernel; ++r) {
      for (int s = 0; s < weight.kernel; ++s) {
        for (int i = 0; i < x.c; ++i) {
          for (int o = 0; o < y.c; ++o) swapped(r, s, o, i) = weight(r, s, i, o);
        }
      }
    }
    Pixels<T> from_x(x);
    Pixels<T> from_y(y);
    Pixels<T> conv_x(y.like());
    Pixels<T> transposed_y(x.like());
    kernels::conv2d_forward<T>(conv_x.image(), from_x.image(), converted<T>(weight.values).data(), nullptr, geometry,
                               false, this->stream_);
    kernels::conv_transpose2d_forward<T>(transposed_y.image(), from_y.image(), converted<T>(swapped.values).data(),
                                         nullptr, geometry, false, this->stream_);
    const auto dot = [](const Array& a, const Array& b) {
      double sum = 0;
      for (std::size_t i = 0; i < a.values.size(); ++i) sum += a.values[i] * b.values[i];
      return sum;
    };
    const double left = dot(conv_x.array(), y);
    EXPECT_NEAR(left, dot(x, transposed_y.array()), roundings<T>(100) * std::abs(left));
  }
}

}  // namespace
}  // namespace plume::tests
