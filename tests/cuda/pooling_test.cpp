// Max-pooling on CUDA against the CPU's: ties, odd sizes, NaN, and where the gradient goes.
#include "kernels/pooling.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "device_array.hpp"

namespace plume::tests {
namespace {

template <class T>
class CudaMaxPool : public OnCuda {
 protected:
  void check(const std::array<int, 4>& shape, int in_stride, int out_stride) {
    const auto& [n, h, w, c] = shape;
    SCOPED_TRACE(testing::Message() << n << 'x' << h << 'x' << w << 'x' << c << " + " << in_stride << ','
                                    << out_stride);
    Array in = Array::random(n, h, w, c, 1);
    for (double& value : in.values) value = std::round(2 * value);  // five values, so that there are many ties
    const Array out(n, h / 2, w / 2, c);
    Pixels<double> from(in), to(out);
    std::vector<std::uint8_t> index(out.values.size());
    kernels::max_pool_forward<double>(to.image(), index.data(), from.image(), cpu_);

    const DevicePixels<T> device_from(*stream_, in, in_stride), device_to(*stream_, out, out_stride);
    const DeviceVector<std::uint8_t> device_index(*stream_, std::vector<std::uint8_t>(index.size(), 9));
    kernels::max_pool_forward<T>(device_to.image(), device_index.data(), device_from.image(), *stream_);
    EXPECT_EQ(device_to.array().values, to.array().values);
    EXPECT_EQ(device_index.values(), index);

    const Array grad_out = as_stored<T>(Array::random(n, h / 2, w / 2, c, 2));
    const Array before = as_stored<T>(Array::random(n, h, w, c, 3));
    for (const bool add : {false, true}) {
      Pixels<double> grad(grad_out), grad_in(before);
      kernels::max_pool_backward<double>(grad_in.image(), grad.image(), index.data(), add, cpu_);
      const DevicePixels<T> device_grad(*stream_, grad_out, out_stride), device_in(*stream_, before, in_stride);
      kernels::max_pool_backward<T>(device_in.image(), device_grad.image(), device_index.data(), add, *stream_);
      expect_near(device_in.array(), grad_in.array(), device_roundings<T>(1), "gradient", 1);
    }
  }
};
TYPED_TEST_SUITE(CudaMaxPool, DeviceElements);

TYPED_TEST(CudaMaxPool, MatchesTheCpu) {
  const std::vector<std::array<int, 4>> shapes{{5, 2, 2, 1}, {1, 3, 5, 6}, {3, 8, 6, 8}, {2, 9, 7, 67}, {2, 9, 9, 72}};
  for (const auto& shape : shapes) {
    for (const int extra_stride : {0, 3, 8}) this->check(shape, extra_stride, extra_stride);
  }
}

TYPED_TEST(CudaMaxPool, ManyPixels) {
  this->check({2, 141, 133, 1}, 0, 0);
}

TYPED_TEST(CudaMaxPool, OneImageOfTwoIsAligned) {
  this->check({2, 5, 4, 8}, 3, 0);
  this->check({2, 5, 4, 8}, 0, 3);
}

// A single row or column has no window: no output, and gradients of zero.
TYPED_TEST(CudaMaxPool, OneRow) {
  using T = TypeParam;
  const DevicePixels<T> grad_in(*this->stream_, Array::random(2, 1, 5, 8, 1));
  const kernels::Image<T> none(nullptr, 2, 0, 2, 8);
  kernels::max_pool_forward<T>(none, nullptr, grad_in.image(), *this->stream_);
  kernels::max_pool_backward<T>(grad_in.image(), none, nullptr, false, *this->stream_);
  EXPECT_EQ(grad_in.array().values, std::vector<double>(80, 0.0));
}

TYPED_TEST(CudaMaxPool, WorksWithoutAnIndexAndWithOneAtAnyAddress) {
  using T = TypeParam;
  const Array in = as_stored<T>(Array::random(1, 4, 4, 8, 1));
  const DevicePixels<T> from(*this->stream_, in), to(*this->stream_, Array(1, 2, 2, 8)),
      again(*this->stream_, Array(1, 2, 2, 8));
  const DeviceVector<std::uint8_t> index(*this->stream_, std::vector<std::uint8_t>(33, 9));
  kernels::max_pool_forward<T>(to.image(), nullptr, from.image(), *this->stream_);
  kernels::max_pool_forward<T>(again.image(), index.data() + 1, from.image(), *this->stream_);
  EXPECT_EQ(to.array().values, again.array().values);
  EXPECT_EQ(index.values()[0], 9);
}

TYPED_TEST(CudaMaxPool, ANanWinsWhereverItStands) {
  using T = TypeParam;
  for (int place = 0; place < 4; ++place) {
    Array in(1, 2, 2, 1);
    in.values = {1, 2, 3, 4};
    in.values[static_cast<std::size_t>(place)] = std::numeric_limits<double>::quiet_NaN();
    const DevicePixels<T> from(*this->stream_, in), to(*this->stream_, Array(1, 1, 1, 1));
    const DeviceVector<std::uint8_t> index(*this->stream_, std::vector<std::uint8_t>{9});
    kernels::max_pool_forward<T>(to.image(), index.data(), from.image(), *this->stream_);
    EXPECT_TRUE(std::isnan(to.array().values[0]));
    EXPECT_EQ(index.values()[0], place);
  }
}

}  // namespace
}  // namespace plume::tests
