// Elementwise operations and the softmax on CUDA against the CPU's, in packs and in single elements.
#include "kernels/pointwise.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "device_array.hpp"
#include "kernels/base/error.hpp"

namespace plume::tests {
namespace {

template <class T>
class CudaPointwise : public OnCuda {
 protected:
  using Strides = std::array<int, 3>;  // what out's, a's and b's have beyond their channels

  // Runs operation(out, a, b, stream) on the device in T and on the CPU in double, `out` with values from before.
  template <class Operation>
  void check(const Array& a, const Array& b, const Strides& extra, double bound, const Operation& operation) {
    SCOPED_TRACE(testing::Message() << a.n << 'x' << a.h << 'x' << a.w << 'x' << a.c << " + " << extra[0] << ','
                                    << extra[1] << ',' << extra[2]);
    const Array before = as_stored<T>(Array::random(a.n, a.h, a.w, a.c, 9));
    Pixels<double> expected(before), a_double(a), b_double(b);
    operation(expected.image(), kernels::Image<const double>(a_double.image()),
              kernels::Image<const double>(b_double.image()), cpu_);
    const DevicePixels<T> out(*stream_, before, extra[0]), a_device(*stream_, a, extra[1]),
        b_device(*stream_, b, extra[2]);
    operation(out.image(), kernels::Image<const T>(a_device.image()), kernels::Image<const T>(b_device.image()),
              *stream_);
    expect_near(out.array(), expected.array(), device_roundings<T>(bound), "result", 1);
  }

  // The same for shapes and strides that take every path: packed, scalar, several columns of blocks, few and many rows.
  template <class Operation>
  void check_shapes(double bound, const Operation& operation) {
    for (const auto& [n, h, w, c] : shapes) {
      const Array a = as_stored<T>(Array::random(n, h, w, c, 1, -4, 4));
      const Array b = as_stored<T>(Array::random(n, h, w, c, 2));
      for (const int extra_stride : {0, 3, 8})
        check(a, b, {extra_stride, extra_stride, extra_stride}, bound, operation);
    }
  }

  static constexpr std::array<std::array<int, 4>, 6> shapes{
      {{1, 1, 1, 1}, {5, 7, 3, 2}, {2, 5, 7, 6}, {3, 9, 5, 8}, {1, 5, 3, 67}, {2, 11, 7, 72}}};
};
TYPED_TEST_SUITE(CudaPointwise, DeviceElements);

TYPED_TEST(CudaPointwise, Copy) {
  for (const bool add : {false, true}) {
    this->check_shapes(1, [&](auto out, auto a, auto, auto& stream) { kernels::copy(out, a, add, stream); });
  }
}

TYPED_TEST(CudaPointwise, Add) {
  this->check_shapes(1, [](auto out, auto a, auto b, auto& stream) { kernels::add(out, a, b, stream); });
}

TYPED_TEST(CudaPointwise, Relu) {
  this->check_shapes(0, [](auto out, auto a, auto, auto& stream) { kernels::relu_forward(out, a, stream); });
  for (const bool add : {false, true}) {
    this->check_shapes(1,
                       [&](auto out, auto a, auto b, auto& stream) { kernels::relu_backward(out, b, a, add, stream); });
  }
}

TYPED_TEST(CudaPointwise, Sigmoid) {
  this->check_shapes(4, [](auto out, auto a, auto, auto& stream) { kernels::sigmoid_forward(out, a, stream); });
  for (const bool add : {false, true}) {
    this->check_shapes(
        4, [&](auto out, auto a, auto b, auto& stream) { kernels::sigmoid_backward(out, b, a, add, stream); });
  }
}

TYPED_TEST(CudaPointwise, Softmax) {
  this->check_shapes(8, [](auto out, auto a, auto, auto& stream) { kernels::softmax_forward(out, a, stream); });
  for (const bool add : {false, true}) {
    this->check_shapes(
        40, [&](auto out, auto a, auto b, auto& stream) { kernels::softmax_backward(out, b, a, add, stream); });
  }
}

// More pixels than a device holds threads, for each kernel: threads go round.
TYPED_TEST(CudaPointwise, ManyPixels) {
  const Array a = as_stored<TypeParam>(Array::random(1, 97, 89, 1, 1));
  this->check(a, a, {1, 1, 1}, 1, [](auto out, auto x, auto y, auto& stream) { kernels::add(out, x, y, stream); });
  this->check(a, a, {}, 1, [](auto out, auto x, auto, auto& stream) { kernels::softmax_forward(out, x, stream); });
  this->check(a, a, {}, 8,
              [](auto out, auto x, auto y, auto& stream) { kernels::softmax_backward(out, x, y, false, stream); });
}

TYPED_TEST(CudaPointwise, OneImageOfThreeIsNotAligned) {
  const Array a = as_stored<TypeParam>(Array::random(2, 3, 5, 8, 1));
  const Array b = as_stored<TypeParam>(Array::random(2, 3, 5, 8, 2));
  for (const std::array<int, 3>& extra : {std::array{3, 0, 0}, {0, 3, 0}, {0, 0, 3}}) {
    this->check(a, b, extra, 1, [](auto out, auto x, auto y, auto& stream) { kernels::add(out, x, y, stream); });
  }
}

TYPED_TEST(CudaPointwise, ChannelSlicesAtAnyOffset) {
  using T = TypeParam;
  const Array whole = as_stored<T>(Array::random(2, 3, 5, 40, 1));
  for (const auto& [first, count] : {std::array{8, 16}, {3, 8}, {16, 3}}) {
    const DevicePixels<T> from(*this->stream_, whole), to(*this->stream_, whole.like());
    kernels::copy<T>(to.image().channels(first, count), from.image().channels(first, count), false, *this->stream_);
    Array expected = whole.like();
    for_each(whole, [&, first = first, count = count](int n, int y, int x, int c) {
      if (c >= first && c < first + count) expected(n, y, x, c) = whole(n, y, x, c);
    });
    EXPECT_EQ(to.array().values, expected.values);
  }
}

TYPED_TEST(CudaPointwise, ReluInPlaceKeepsNan) {
  using T = TypeParam;
  Array in = as_stored<T>(Array::random(1, 3, 3, 8, 1));
  in.values[5] = std::numeric_limits<double>::quiet_NaN();
  const DevicePixels<T> x(*this->stream_, in);
  kernels::relu_forward<T>(x.image(), x.image(), *this->stream_);
  const Array out = x.array();
  for (std::size_t i = 0; i < in.values.size(); ++i) {
    if (i == 5) {
      EXPECT_TRUE(std::isnan(out.values[i]));
    } else {
      EXPECT_EQ(out.values[i], std::max(in.values[i], 0.0));
    }
  }
}

TYPED_TEST(CudaPointwise, SoftmaxOfLargeLogits) {
  using T = TypeParam;
  Array in(1, 1, 1, 3);
  in.values = {-1000, 1000, 1000};
  const DevicePixels<T> from(*this->stream_, in), to(*this->stream_, in.like());
  kernels::softmax_forward<T>(to.image(), from.image(), *this->stream_);
  EXPECT_EQ(to.array().values, (std::vector<double>{0, 0.5, 0.5}));
}

TYPED_TEST(CudaPointwise, NoPixels) {
  using T = TypeParam;
  const kernels::Image<T> none(nullptr, 0, 4, 4, 3);
  kernels::copy<T>(none, none, false, *this->stream_);
  kernels::softmax_forward<T>(none, none, *this->stream_);
  kernels::softmax_backward<T>(none, none, none, false, *this->stream_);
  this->stream_->synchronize();
}

TYPED_TEST(CudaPointwise, RefusesMorePixelsThanItCanNumber) {
  using T = TypeParam;
  const kernels::Image<T> huge(nullptr, 1, 50000, 50000, 1, 2);
  EXPECT_THROW(kernels::copy<T>(huge, huge, false, *this->stream_), Error);
}

}  // namespace
}  // namespace plume::tests
