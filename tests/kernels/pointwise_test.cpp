// Elementwise operations and the softmax against their formulas.
#include "kernels/pointwise.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numeric>

#include "array.hpp"
#include "kernels/functors.hpp"

namespace plume::tests {
namespace {

template <class T>
class Pointwise : public testing::Test {
 protected:
  // Dense, and as slices of wider images.
  static constexpr std::array<int, 2> gaps{0, 3};
  const Array x_ = Array::random(3, 5, 7, 6, 1, -4, 4);
  const Array grad_out_ = Array::random(3, 5, 7, 6, 2);
  const Array before_ = Array::random(3, 5, 7, 6, 3);
  kernels::CpuStream stream_{1};  // threads_test.cpp shows that more give the same bits

  // forward(to, from); formula(x) is its value.
  template <class Forward, class Formula>
  void check_forward(const Forward& forward, const Formula& formula, double bound) {
    for (const int gap : gaps) {
      Pixels<T> from(x_, gap);
      Pixels<T> to(x_.like(), gap);
      forward(to.image(), kernels::Image<const T>(from.image()));
      Array expected = x_;
      for (double& value : expected.values) value = formula(value);
      expect_near(to.array(), expected, bound, "forward");
    }
  }

  // backward(grad_in, grad_out, out, add) with out as given; slope(out) is what grad_out is multiplied with.
  template <class Backward, class Slope>
  void check_backward(const Array& out, const Backward& backward, const Slope& slope, double bound) {
    for (const int gap : gaps) {
      for (const bool add : {false, true}) {
        Pixels<T> grad_in(before_, gap);
        Pixels<T> grad(grad_out_, gap);
        Pixels<T> saved(out, gap);
        backward(grad_in.image(), kernels::Image<const T>(grad.image()), kernels::Image<const T>(saved.image()), add);
        Array expected = add ? before_ : before_.like();
        for (std::size_t i = 0; i < expected.values.size(); ++i) {
          expected.values[i] += grad_out_.values[i] * slope(out.values[i]);
        }
        expect_near(grad_in.array(), expected, bound, "gradient");
      }
    }
  }
};
using Elements = testing::Types<float, double>;
TYPED_TEST_SUITE(Pointwise, Elements);

double sigmoid(double x) {
  return 1 / (1 + std::exp(-x));
}

TYPED_TEST(Pointwise, CopyAndAdd) {
  using T = TypeParam;
  for (const int gap : this->gaps) {
    Pixels<T> a(this->x_, gap);
    Pixels<T> b(this->before_, 1);
    const kernels::Image<const T> from = a.image();
    const auto sum = sum_of(this->x_.values, this->before_.values);
    Pixels<T> to(this->before_, 2);
    kernels::copy<T>(to.image(), from, true, this->stream_);
    expect_near(to.array().values, sum, roundings<T>(1), "added");
    kernels::copy<T>(to.image(), from, false, this->stream_);
    EXPECT_EQ(to.array().values, this->x_.values);
    kernels::add<T>(to.image(), from, b.image(), this->stream_);
    expect_near(to.array().values, sum, roundings<T>(1), "sum");
  }
}

TYPED_TEST(Pointwise, Relu) {
  using T = TypeParam;
  this->check_forward([&](auto to, auto from) { kernels::relu_forward<T>(to, from, this->stream_); },
                      [](double x) { return std::max(x, 0.0); }, 0);
  Array out = this->x_;
  for (double& value : out.values) value = std::max(value, 0.0);
  this->check_backward(
      out, [&](auto to, auto grad, auto y, bool add) { kernels::relu_backward<T>(to, grad, y, add, this->stream_); },
      [](double y) { return y > 0 ? 1 : 0; }, roundings<T>(1));
}

TYPED_TEST(Pointwise, Sigmoid) {
  using T = TypeParam;
  this->check_forward([&](auto to, auto from) { kernels::sigmoid_forward<T>(to, from, this->stream_); }, sigmoid,
                      roundings<T>(4));
  Array out = this->x_;
  for (double& value : out.values) value = static_cast<float>(sigmoid(value));
  this->check_backward(
      out, [&](auto to, auto grad, auto y, bool add) { kernels::sigmoid_backward<T>(to, grad, y, add, this->stream_); },
      [](double y) { return y * (1 - y); }, roundings<T>(4));
}

TYPED_TEST(Pointwise, SigmoidAndSoftplusAtTheEnds) {
  using T = TypeParam;
  EXPECT_EQ(kernels::SigmoidBody{}(T{1000}), T{1});
  EXPECT_EQ(kernels::SigmoidBody{}(T{-1000}), T{0});
  EXPECT_EQ(kernels::SoftplusBody{}(T{1000}), T{1000});
  EXPECT_EQ(kernels::SoftplusBody{}(T{-1000}), T{0});
  // log(1 + exp(x)) is exp(x) to first order: no cancellation.
  EXPECT_NEAR(kernels::SoftplusBody{}(T{-40}), std::exp(T{-40}), std::exp(-40.0) * roundings<T>(4));
}

TYPED_TEST(Pointwise, Softmax) {
  using T = TypeParam;
  Array expected = this->x_;
  Array slope = this->x_.like();
  for (int n = 0; n < expected.n; ++n) {
    for (int y = 0; y < expected.h; ++y) {
      for (int x = 0; x < expected.w; ++x) {
        double sum = 0;
        double dot = 0;
        for (int c = 0; c < expected.c; ++c) sum += std::exp(this->x_(n, y, x, c));
        for (int c = 0; c < expected.c; ++c)
          expected(n, y, x, c) = static_cast<float>(std::exp(this->x_(n, y, x, c)) / sum);
        for (int c = 0; c < expected.c; ++c) dot += expected(n, y, x, c) * this->grad_out_(n, y, x, c);
        for (int c = 0; c < expected.c; ++c)
          slope(n, y, x, c) = expected(n, y, x, c) * (this->grad_out_(n, y, x, c) - dot);
      }
    }
  }
  for (const int gap : this->gaps) {
    Pixels<T> from(this->x_, gap);
    Pixels<T> to(this->x_.like(), gap);
    kernels::softmax_forward<T>(to.image(), from.image(), this->stream_);
    expect_near(to.array(), expected, 1e-7 + roundings<T>(8), "forward");  // the reference is rounded to float
    for (const bool add : {false, true}) {
      Pixels<T> grad_in(this->before_, gap);
      Pixels<T> grad(this->grad_out_, gap);
      Pixels<T> out(expected, gap);
      kernels::softmax_backward<T>(grad_in.image(), grad.image(), out.image(), add, this->stream_);
      const auto wanted = add ? sum_of(slope.values, this->before_.values) : slope.values;
      expect_near(grad_in.array().values, wanted, roundings<T>(8), "gradient");
    }
  }
}

TYPED_TEST(Pointwise, SoftmaxOfLargeLogits) {
  using T = TypeParam;
  Array in(1, 1, 1, 3);
  in.values = {1000, 1000, -1000};
  Pixels<T> from(in);
  Pixels<T> to(in.like());
  kernels::softmax_forward<T>(to.image(), from.image(), this->stream_);
  EXPECT_EQ(to.array().values, (std::vector<double>{0.5, 0.5, 0}));
}

// A network that diverged must not look healthy behind a ReLU.
TYPED_TEST(Pointwise, ReluKeepsNan) {
  EXPECT_TRUE(std::isnan(kernels::ReluBody{}(std::numeric_limits<TypeParam>::quiet_NaN())));
}

}  // namespace
}  // namespace plume::tests
