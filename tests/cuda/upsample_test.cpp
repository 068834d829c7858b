// Twofold enlargement on CUDA against the CPU's, every interpolation, forward and backward.
#include "kernels/upsample.hpp"

#include <gtest/gtest.h>

#include "device_array.hpp"

namespace plume::tests {
namespace {

using kernels::Interpolation;

template <class T>
class CudaUpsample : public OnCuda {
 protected:
  void check(const std::array<int, 4>& shape, int in_stride, int out_stride, Interpolation interpolation) {
    const auto& [n, h, w, c] = shape;
    SCOPED_TRACE(testing::Message() << n << 'x' << h << 'x' << w << 'x' << c << " + " << in_stride << ','
                                    << out_stride);
    const Array in = as_stored<T>(Array::random(n, h, w, c, 1));
    const Array grad_out = as_stored<T>(Array::random(n, 2 * h, 2 * w, c, 2));
    const Array before = as_stored<T>(Array::random(n, h, w, c, 3));
    Pixels<double> from(in), to(grad_out.like()), grad(grad_out);
    kernels::upsample_forward<double>(to.image(), from.image(), interpolation, cpu_);
    const DevicePixels<T> device_from(*stream_, in, in_stride), device_to(*stream_, grad_out.like(), out_stride),
        device_grad(*stream_, grad_out, out_stride);
    kernels::upsample_forward<T>(device_to.image(), device_from.image(), interpolation, *stream_);
    expect_near(device_to.array(), to.array(), device_roundings<T>(4), "forward");

    for (const bool add : {false, true}) {
      Pixels<double> grad_in(before);
      kernels::upsample_backward<double>(grad_in.image(), grad.image(), interpolation, add, cpu_);
      const DevicePixels<T> device_in(*stream_, before, in_stride);
      kernels::upsample_backward<T>(device_in.image(), device_grad.image(), interpolation, add, *stream_);
      expect_near(device_in.array(), grad_in.array(), device_roundings<T>(8), "gradient");
    }
  }
};
TYPED_TEST_SUITE(CudaUpsample, DeviceElements);

TYPED_TEST(CudaUpsample, MatchesTheCpu) {
  const std::vector<std::array<int, 4>> shapes{{5, 1, 1, 1}, {1, 1, 4, 6}, {3, 3, 2, 8}, {1, 5, 3, 67}, {2, 7, 5, 72}};
  for (const Interpolation interpolation : {Interpolation::nearest, Interpolation::bilinear, Interpolation::aligned}) {
    for (const auto& shape : shapes) {
      for (const int extra_stride : {0, 3, 8}) this->check(shape, extra_stride, extra_stride, interpolation);
    }
  }
}

TYPED_TEST(CudaUpsample, ManyPixels) {
  this->check({1, 97, 89, 1}, 0, 0, Interpolation::nearest);
  this->check({1, 97, 89, 1}, 0, 0, Interpolation::bilinear);
  this->check({1, 97, 89, 1}, 0, 0, Interpolation::aligned);
}

TYPED_TEST(CudaUpsample, OneImageOfTwoIsAligned) {
  this->check({2, 3, 2, 8}, 3, 0, Interpolation::bilinear);
  this->check({2, 3, 2, 8}, 0, 3, Interpolation::bilinear);
}

TYPED_TEST(CudaUpsample, NoPixels) {
  using T = TypeParam;
  const kernels::Image<T> none(nullptr, 0, 4, 4, 3);
  kernels::upsample_forward<T>(none, none, Interpolation::nearest, *this->stream_);
  kernels::upsample_backward<T>(none, none, Interpolation::nearest, false, *this->stream_);
  this->stream_->synchronize();
}

}  // namespace
}  // namespace plume::tests
