// Losses and their gradients on CUDA against the CPU's: runs of pixels and single ones, ragged ends, up to 255 classes,
// ignored pixels and absent weights, and the same bits on every run.
#include "kernels/loss.hpp"

#include <gtest/gtest.h>

#include "device_array.hpp"

namespace plume::tests {
namespace {

struct Shape {
  int n, h, w, classes;
};

// Where labels and weights start behind an aligned address: 0 allows accesses of 16 bytes, 1 does not.
struct Layout {
  int extra_stride;
  std::size_t shift;
  bool weighted;
};

template <class T>
class CudaLoss : public OnCuda {
 protected:
  // run(output, logits, targets, stream) calls the operation, on the CPU in double and on the device in T, with weights
  // and without, with other people's channels between the logits and without, adding and not.
  template <class Run>
  void check(const Shape& shape, double bound, const Run& run, std::uint32_t ignored_share = 4) {
    for (const Layout& layout : {Layout{0, 0, true}, Layout{0, 1, false}, Layout{3, 1, true}}) {
      for (const bool add : {false, true}) check(shape, layout, add, bound, run, ignored_share);
    }
  }

  template <class Run>
  void check(const Shape& shape, const Layout& layout, bool add, double bound, const Run& run,
             std::uint32_t ignored_share) {
    SCOPED_TRACE(testing::Message() << shape.n << 'x' << shape.h << 'x' << shape.w << 'x' << shape.classes << " + "
                                    << layout.extra_stride << ", shift " << layout.shift << ", add " << add);
    const Array z = as_stored<T>(Array::random(shape.n, shape.h, shape.w, shape.classes, 1, -6, 6));
    const Array before = as_stored<T>(Array::random(shape.n, shape.h, shape.w, shape.classes, 4));
    const auto pixels = static_cast<std::size_t>(shape.n * shape.h * shape.w);
    const auto labels = random_labels(pixels + layout.shift, 2, std::max(shape.classes, 2), ignored_share);
    const auto weights = random_values(pixels + layout.shift, 3, 0.1F, 2);

    Pixels<double> z_cpu(z), grad_cpu(before);
    double value_cpu = 5;
    run(kernels::LossOutput<double>{&value_cpu, grad_cpu.image(), 0.25, 2, add, add},
        kernels::Image<const double>(z_cpu.image()),
        kernels::PixelTargets<double>{labels.data() + layout.shift,
                                      layout.weighted ? weights.data() + layout.shift : nullptr},
        cpu_);

    const DevicePixels<T> z_device(*stream_, z, layout.extra_stride), grad(*stream_, before, layout.extra_stride);
    const DeviceVector<std::uint8_t> labels_device(*stream_, labels);
    const DeviceVector<float> weights_device(*stream_, weights);
    const DeviceVector<double> values(*stream_, std::vector<double>{5, 5, 5});
    const auto on_device = [&](int time, kernels::Image<T> to) {
      run(kernels::LossOutput<T>{values.data() + time, to, 0.25, 2, add, add},
          kernels::Image<const T>(z_device.image()),
          kernels::PixelTargets<T>{labels_device.data() + layout.shift,
                                   layout.weighted ? weights_device.data() + layout.shift : nullptr},
          *stream_);
    };
    on_device(0, grad.image());
    expect_near(grad.array(), grad_cpu.array(), device_roundings<T>(bound), "gradient");

    const DevicePixels<T> grad_again(*stream_, before, layout.extra_stride);
    on_device(1, grad_again.image());
    on_device(2, {});
    const auto value = values.values();
    EXPECT_NEAR(value[0], value_cpu, roundings<float>(4) * std::max(1.0, std::abs(value_cpu)));
    EXPECT_EQ(value[1], value[0]) << "a second time";
    EXPECT_EQ(value[2], value[0]) << "without a gradient";
    EXPECT_EQ(grad_again.array().values, grad.array().values) << "a second time";
  }

  static auto bce() {
    return [](const auto& output, auto logits, auto targets, auto& stream) {
      kernels::bce_with_logits(output, logits, targets, stream);
    };
  }
  static auto softmax() {
    return [](const auto& output, auto logits, auto targets, auto& stream) {
      kernels::softmax_cross_entropy(output, logits, targets, stream);
    };
  }
  static auto dice(double smooth) {
    return [smooth](const auto& output, auto logits, auto targets, auto& stream) {
      kernels::dice(output, logits, targets, smooth, stream);
    };
  }
};
TYPED_TEST_SUITE(CudaLoss, DeviceElements);

// One pixel; a run with a tail; several blocks whose loops come round, with and without a tail.
constexpr std::array binary_shapes{Shape{1, 1, 1, 1}, Shape{3, 5, 7, 1}, Shape{2, 64, 64, 1}, Shape{5, 37, 61, 1}};

TYPED_TEST(CudaLoss, BinaryCrossEntropy) {
  for (const Shape& shape : binary_shapes) this->check(shape, 16, this->bce());
}

TYPED_TEST(CudaLoss, BinaryDice) {
  for (const Shape& shape : binary_shapes) this->check(shape, 16, this->dice(1));
  this->check({3, 5, 7, 1}, 16, this->dice(0));
}

constexpr std::array class_shapes{Shape{1, 1, 1, 2}, Shape{3, 13, 17, 2}, Shape{2, 31, 23, 3}, Shape{1, 9, 7, 72},
                                  Shape{1, 17, 16, 255}};

TYPED_TEST(CudaLoss, SoftmaxCrossEntropy) {
  for (const Shape& shape : class_shapes) this->check(shape, 32, this->softmax());
}

TYPED_TEST(CudaLoss, SoftmaxDice) {
  for (const Shape& shape : class_shapes) this->check(shape, 32, this->dice(1));
  this->check({3, 13, 17, 2}, 32, this->dice(0));
}

// So many blocks that their sums are more than a block's threads.
TYPED_TEST(CudaLoss, ManyBlocks) {
  this->check({1, 257, 512, 2}, {0, 0, true}, false, 64, this->softmax(), 4);
}

TYPED_TEST(CudaLoss, EveryPixelIgnored) {
  this->check({2, 3, 5, 1}, 0, this->bce(), 1);
  this->check({2, 3, 5, 3}, 0, this->softmax(), 1);
  for (const double smooth : {0.0, 1.0}) {
    this->check({2, 3, 5, 1}, 0, this->dice(smooth), 1);
    this->check({2, 3, 5, 3}, 0, this->dice(smooth), 1);
  }
}

// A rank without a share of the last batch.
TYPED_TEST(CudaLoss, NoPixels) {
  using T = TypeParam;
  const DeviceVector<double> value(*this->stream_, std::vector<double>{5});
  const kernels::LossOutput<T> output{value.data()};
  kernels::bce_with_logits(output, kernels::Image<const T>(nullptr, 0, 4, 4, 1), {}, *this->stream_);
  EXPECT_EQ(value.values()[0], 0);
  kernels::dice(output, kernels::Image<const T>(nullptr, 0, 4, 4, 3), {}, 0, *this->stream_);
  EXPECT_EQ(value.values()[0], 0);
}

// Certain and wrong: the loss is the logit, the gradient one; certain and right: both are zero.
TYPED_TEST(CudaLoss, ExtremeLogits) {
  using T = TypeParam;
  for (const int sign : {-1, 1}) {
    for (const int label : {0, 1}) {
      Array in(1, 1, 1, 1);
      in.values = {800.0 * sign};
      const DevicePixels<T> logits(*this->stream_, in), grad(*this->stream_, in);
      const DeviceVector<std::uint8_t> truth(*this->stream_, std::vector<int>{label});
      const DeviceVector<double> value(*this->stream_, std::vector<double>{5});
      kernels::bce_with_logits<T>({value.data(), grad.image()}, logits.image(), {truth.data(), nullptr},
                                  *this->stream_);
      const bool right = (sign > 0) == (label == 1);
      EXPECT_EQ(value.values()[0], right ? 0 : 800);
      EXPECT_EQ(grad.array().values[0], right ? 0 : sign);
    }
  }
}

}  // namespace
}  // namespace plume::tests
