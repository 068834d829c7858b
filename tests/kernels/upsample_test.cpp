// Twofold enlargement against the sampling rule: an output pixel's centre, halved, is where the input is read.
#include "kernels/upsample.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "array.hpp"

namespace plume::tests {
namespace {

using kernels::Interpolation;

template <class T>
class Upsample : public testing::Test {
 protected:
  kernels::CpuStream stream_{1};  // threads_test.cpp shows that more give the same bits
};
using Elements = testing::Types<float, double>;
TYPED_TEST_SUITE(Upsample, Elements);

// What input pixel (row, column) gives to output pixel (y, x). Bilinear: triangle of half-width 1 around the output's
// centre (y + 1/2) / 2 - 1/2, clamped to the image (half-pixel centres). Aligned: around y (h - 1) / (2 h - 1), so that
// the corners' centres fall together. Nearest: floor(y / 2).
double share(int output, int input, int inputs, Interpolation interpolation) {
  if (interpolation == Interpolation::nearest) return output / 2 == input ? 1 : 0;
  if (interpolation == Interpolation::aligned) {  // in whole numbers, so that it is exact
    const int steps = 2 * inputs - 1;
    return std::max(0.0, 1 - std::abs(output * (inputs - 1) - input * steps) / static_cast<double>(steps));
  }
  const double centre = std::clamp((output + 0.5) / 2 - 0.5, 0.0, inputs - 1.0);
  return std::max(0.0, 1 - std::abs(centre - input));
}

template <class Body>
void for_each_share(const Array& in, const Array& out, Interpolation interpolation, const Body& body) {
  for_each(out, [&](int n, int y, int x, int c) {
    for (int row = 0; row < in.h; ++row) {
      for (int column = 0; column < in.w; ++column) {
        body(in.offset(n, row, column, c), out.offset(n, y, x, c),
             share(y, row, in.h, interpolation) * share(x, column, in.w, interpolation));
      }
    }
  });
}

TYPED_TEST(Upsample, MatchesTheSamplingRule) {
  using T = TypeParam;
  for (const Interpolation interpolation : {Interpolation::nearest, Interpolation::bilinear, Interpolation::aligned}) {
    for (const auto& [rows, columns] : {std::array{1, 1}, {1, 4}, {2, 2}, {3, 4}, {5, 7}, {12, 9}}) {
      for (const int channels : {1, 17}) {
        const Array in = Array::random(3, rows, columns, channels, 1);
        const Array grad_out = Array::random(3, 2 * rows, 2 * columns, channels, 2);
        Array expected = grad_out.like();
        Array gradient = in.like();
        for_each_share(in, expected, interpolation, [&](std::size_t i, std::size_t o, double weight) {
          expected.values[o] += weight * in.values[i];
          gradient.values[i] += weight * grad_out.values[o];
        });

        Pixels<T> from(in, 2);
        Pixels<T> to(expected.like(), 1);
        kernels::upsample_forward<T>(to.image(), from.image(), interpolation, this->stream_);
        expect_near(to.array(), expected, roundings<T>(4), "forward");

        for (const bool add : {false, true}) {
          const Array before = Array::random(3, rows, columns, channels, 3);
          Pixels<T> grad(grad_out, 3);
          Pixels<T> grad_in(before, 1);
          kernels::upsample_backward<T>(grad_in.image(), grad.image(), interpolation, add, this->stream_);
          const auto wanted = add ? sum_of(gradient.values, before.values) : gradient.values;
          expect_near(grad_in.array().values, wanted, roundings<T>(8), "gradient");
        }
      }
    }
  }
}

// PyTorch: F.interpolate(torch.tensor([[[[1., 2., 4.]]]]), scale_factor=2, mode="bilinear", align_corners=False).
TYPED_TEST(Upsample, BilinearOnARow) {
  Array in(1, 1, 3, 1);
  in.values = {1, 2, 4};
  Pixels<TypeParam> from(in);
  Pixels<TypeParam> to(Array(1, 2, 6, 1));
  kernels::upsample_forward<TypeParam>(to.image(), from.image(), Interpolation::bilinear, this->stream_);
  const std::vector<double> row{1, 1.25, 1.75, 2.5, 3.5, 4, 1, 1.25, 1.75, 2.5, 3.5, 4};
  EXPECT_EQ(to.array().values, row);
}

}  // namespace
}  // namespace plume::tests
