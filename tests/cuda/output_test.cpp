// Probabilities and masks on CUDA against the CPU's.
#include "kernels/output.hpp"

#include <gtest/gtest.h>

#include "device_array.hpp"

namespace plume::tests {
namespace {

using kernels::Link;

template <class T>
class CudaOutput : public OnCuda {
 protected:
  void check(const Array& shape, int extra_stride, Link link, bool with_probability, bool with_mask) {
    SCOPED_TRACE(testing::Message() << shape.n << 'x' << shape.h << 'x' << shape.w << 'x' << shape.c << " + "
                                    << extra_stride << ", " << with_probability << with_mask);
    const Array z = as_stored<T>(Array::random(shape.n, shape.h, shape.w, shape.c, 1, -6, 6));
    const auto pixels = static_cast<std::size_t>(shape.n * shape.h * shape.w);
    const Array untouched = Array::random(shape.n, shape.h, shape.w, shape.c, 2);
    Pixels<float> z_cpu(z), expected(untouched);
    std::vector<std::uint8_t> expected_mask(pixels, 99);
    kernels::decide<float>(with_probability ? expected.image() : kernels::Image<float>{},
                           with_mask ? expected_mask.data() : nullptr, z_cpu.image(), link, 0.6F, cpu_);
    const DevicePixels<T> logits(*stream_, z, extra_stride);
    const DevicePixels<float> probability(*stream_, untouched, extra_stride);
    const DeviceVector<std::uint8_t> mask(*stream_, std::vector<int>(pixels, 99));
    kernels::decide<T>(with_probability ? probability.image() : kernels::Image<float>{},
                       with_mask ? mask.data() : nullptr, logits.image(), link, 0.6F, *stream_);
    expect_near(probability.array(), expected.array(), roundings<float>(8), "probability", 1);
    EXPECT_EQ(mask.values(), expected_mask);
  }
};
TYPED_TEST_SUITE(CudaOutput, DeviceElements);

TYPED_TEST(CudaOutput, LikeTheCpu) {
  for (const auto& [n, h, w] :
       {std::array{1, 1, 1}, std::array{2, 16, 8}, std::array{3, 5, 7}, std::array{5, 120, 113}}) {
    for (const int c : {1, 2, 3}) {
      for (const int extra_stride : {0, 3}) {
        for (const Link link : {Link::sigmoid, Link::softmax}) {
          this->check(Array(n, h, w, c), extra_stride, link, true, true);
        }
      }
    }
  }
}

TYPED_TEST(CudaOutput, EitherAlone) {
  for (const int c : {1, 3}) {
    this->check(Array(2, 5, 7, c), 0, Link::sigmoid, true, false);
    this->check(Array(2, 5, 7, c), 0, Link::sigmoid, false, true);
  }
}

}  // namespace
}  // namespace plume::tests
