// Losses and their gradients on CUDA against the CPU's: runs of pixels and single ones, ragged ends, up to 255 classes,
// ignored pixels and absent weights, and the same bits on every run.
#include "kernels/loss.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <type_traits>
#include <vector>

#include "../relative_distance.hpp"
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
  bool weighted;  // pixels and classes
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
    const auto class_weights = random_values(static_cast<std::size_t>(std::max(shape.classes, 2)), 5, 0.1F, 2);

    Pixels<double> z_cpu(z), grad_cpu(before);
    double value_cpu = 5;
    run(kernels::LossOutput<double>{&value_cpu, grad_cpu.image(), 0.25, 2, add, add},
        kernels::Image<const double>(z_cpu.image()),
        kernels::PixelTargets<double>{labels.data() + layout.shift,
                                      layout.weighted ? weights.data() + layout.shift : nullptr,
                                      layout.weighted ? class_weights.data() : nullptr},
        cpu_);

    const DevicePixels<T> z_device(*stream_, z, layout.extra_stride), grad(*stream_, before, layout.extra_stride);
    const DeviceVector<std::uint8_t> labels_device(*stream_, labels);
    const DeviceVector<float> weights_device(*stream_, weights);
    const DeviceVector<float> class_weights_device(*stream_, class_weights);
    const DeviceVector<double> values(*stream_, std::vector<double>{5, 5, 5});
    const auto on_device = [&](int time, kernels::Image<T> to) {
      run(kernels::LossOutput<T>{values.data() + time, to, 0.25, 2, add, add},
          kernels::Image<const T>(z_device.image()),
          kernels::PixelTargets<T>{labels_device.data() + layout.shift,
                                   layout.weighted ? weights_device.data() + layout.shift : nullptr,
                                   layout.weighted ? class_weights_device.data() : nullptr},
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

  // Binary of one channel.
  static auto cross_entropy(double smoothing = 0) {
    return [smoothing](const auto& output, auto logits, auto targets, auto& stream) {
      if (logits.c == 1) {
        kernels::bce_with_logits(output, logits, targets, smoothing, stream);
      } else {
        kernels::softmax_cross_entropy(output, logits, targets, smoothing, stream);
      }
    };
  }
  static auto focal(double gamma) {
    return [gamma](const auto& output, auto logits, auto targets, auto& stream) {
      kernels::focal(output, logits, targets, gamma, stream);
    };
  }
  static auto ordinal() {
    return [](const auto& output, auto logits, auto targets, auto& stream) {
      kernels::ordinal(output, logits, targets, stream);
    };
  }
  static auto tversky(const kernels::TverskySettings& settings) {
    return [settings](const auto& output, auto logits, auto targets, auto& stream) {
      kernels::tversky(output, logits, targets, settings, stream);
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
  for (const Shape& shape : binary_shapes) this->check(shape, 16, this->cross_entropy());
}

TYPED_TEST(CudaLoss, BinaryDice) {
  for (const Shape& shape : binary_shapes) this->check(shape, 16, this->dice(1));
  this->check({3, 5, 7, 1}, 16, this->dice(0));
}

constexpr std::array class_shapes{Shape{1, 1, 1, 2}, Shape{3, 13, 17, 2}, Shape{2, 31, 23, 3}, Shape{1, 9, 7, 72},
                                  Shape{1, 17, 16, 255}};

TYPED_TEST(CudaLoss, SoftmaxCrossEntropy) {
  for (const Shape& shape : class_shapes) this->check(shape, 32, this->cross_entropy());
}

TYPED_TEST(CudaLoss, SoftmaxDice) {
  for (const Shape& shape : class_shapes) this->check(shape, 32, this->dice(1));
  this->check({3, 13, 17, 2}, 32, this->dice(0));
}

TYPED_TEST(CudaLoss, LabelSmoothing) {
  this->check({3, 5, 7, 1}, 16, this->cross_entropy(0.1));
  this->check({3, 13, 17, 3}, 32, this->cross_entropy(0.1));
}

TYPED_TEST(CudaLoss, Focal) {
  for (const double gamma : {0.5, 2.0}) {
    this->check({3, 5, 7, 1}, 32, this->focal(gamma));
    this->check({2, 64, 64, 1}, {0, 0, true}, false, 32, this->focal(gamma), 4);
    for (const int classes : {2, 5}) this->check({3, 13, 17, classes}, 64, this->focal(gamma));
  }
}

TYPED_TEST(CudaLoss, Ordinal) {
  for (const int classes : {2, 4, kernels::most_ordinal_classes})
    this->check({3, 13, 17, classes}, 64, this->ordinal());
}

TYPED_TEST(CudaLoss, Tversky) {
  for (const double gamma : {0.75, 1.0, 2.0}) {
    const kernels::TverskySettings settings{.alpha = 0.3, .beta = 0.7, .gamma = gamma};
    this->check({3, 5, 7, 1}, 32, this->tversky(settings));
    this->check({3, 13, 17, 3}, 64, this->tversky(settings));
  }
}

// As above, with labels that are partly of the class.
TYPED_TEST(CudaLoss, SoftTargets) {
  const DeviceVector<float> soft(*this->stream_, std::vector{0.25F, 0.75F});
  const std::vector<double> soft_cpu{0.25, 0.75};
  const auto softened = [&](const auto& run) {
    return [&](const auto& output, auto logits, auto targets, auto& stream) {
      if constexpr (std::is_same_v<std::decay_t<decltype(stream)>, kernels::CpuStream>) {
        targets.soft = soft_cpu.data();
      } else {
        targets.soft = soft.data();
      }
      run(output, logits, targets, stream);
    };
  };
  this->check({3, 5, 7, 1}, 16, softened(this->cross_entropy()));
  this->check({3, 5, 7, 1}, 16, softened(this->tversky({.alpha = 0.3, .beta = 0.7})));
}

// So many blocks that their sums are more than a block's threads.
TYPED_TEST(CudaLoss, ManyBlocks) {
  this->check({1, 257, 512, 2}, {0, 0, true}, false, 64, this->cross_entropy(), 4);
}

TYPED_TEST(CudaLoss, EveryPixelIgnored) {
  this->check({2, 3, 5, 1}, 0, this->cross_entropy(), 1);
  this->check({2, 3, 5, 3}, 0, this->cross_entropy(), 1);
  for (const double smooth : {0.0, 1.0}) {
    this->check({2, 3, 5, 1}, 0, this->dice(smooth), 1);
    this->check({2, 3, 5, 3}, 0, this->dice(smooth), 1);
  }
  this->check({2, 3, 5, 1}, 0, this->focal(2), 1);
  this->check({2, 3, 5, 3}, 0, this->focal(2), 1);
  this->check({2, 3, 5, 3}, 0, this->ordinal(), 1);
}

// A rank without a share of the last batch.
TYPED_TEST(CudaLoss, NoPixels) {
  using T = TypeParam;
  const DeviceVector<double> value(*this->stream_, std::vector<double>{5});
  const kernels::LossOutput<T> output{value.data()};
  kernels::bce_with_logits(output, kernels::Image<const T>(nullptr, 0, 4, 4, 1), {}, 0, *this->stream_);
  EXPECT_EQ(value.values()[0], 0);
  kernels::dice(output, kernels::Image<const T>(nullptr, 0, 4, 4, 3), {}, 0, *this->stream_);
  EXPECT_EQ(value.values()[0], 0);
  kernels::lovasz(output, kernels::Image<const T>(nullptr, 0, 4, 4, 3), {}, *this->stream_);
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
      kernels::bce_with_logits<T>({value.data(), grad.image()}, logits.image(), {truth.data()}, 0, *this->stream_);
      const bool right = (sign > 0) == (label == 1);
      EXPECT_EQ(value.values()[0], right ? 0 : 800);
      EXPECT_EQ(grad.array().values[0], right ? 0 : sign);
    }
  }
}

// Errors that lie closer than rounding may be sorted otherwise on the CPU, which changes single slopes but hardly their
// sum: the value, and the gradient as a whole.
TYPED_TEST(CudaLoss, Lovasz) {
  using T = TypeParam;
  for (const Shape& shape :
       {Shape{1, 1, 1, 1}, Shape{3, 5, 7, 1}, Shape{2, 64, 65, 1}, Shape{3, 13, 17, 3}, Shape{1, 9, 7, 20}}) {
    for (const bool add : {false, true}) {
      const Array z = as_stored<T>(Array::random(shape.n, shape.h, shape.w, shape.classes, 1, -3, 3));
      const Array before = as_stored<T>(Array::random(shape.n, shape.h, shape.w, shape.classes, 4, -1e-3, 1e-3));
      const auto labels =
          random_labels(static_cast<std::size_t>(shape.n * shape.h * shape.w), 2, std::max(shape.classes - 1, 2), 5);
      Pixels<float> z_cpu(z), grad_cpu(before);
      double value_cpu = 5;
      kernels::lovasz<float>({&value_cpu, grad_cpu.image(), 0.25, 2, add, add}, z_cpu.image(), {labels.data()},
                             this->cpu_);
      const DevicePixels<T> z_device(*this->stream_, z, 2);
      const DeviceVector<std::uint8_t> labels_device(*this->stream_, labels);
      const DeviceVector<double> values(*this->stream_, std::vector<double>{5, 5});
      std::vector<std::vector<double>> gradients;
      for (int time = 0; time < 2; ++time) {
        const DevicePixels<T> grad(*this->stream_, before, 2);
        kernels::lovasz<T>({values.data() + time, grad.image(), 0.25, 2, add, add}, z_device.image(),
                           {labels_device.data()}, *this->stream_);
        gradients.push_back(grad.array().values);
      }
      EXPECT_NEAR(values.values()[0], value_cpu, 1e-6 * std::max(1.0, std::abs(value_cpu)));
      EXPECT_EQ(values.values()[1], values.values()[0]) << "a second time";
      EXPECT_EQ(gradients[1], gradients[0]) << "a second time";
      EXPECT_LT(relative_distance(gradients[0], grad_cpu.array().values), 1e-2);
    }
  }
}

// What a value is lost in must not be lost itself.
TYPED_TEST(CudaLoss, LovaszOfNoNumberIsNone) {
  using T = TypeParam;
  Array in(1, 1, 2, 1);
  in.values = {std::numeric_limits<double>::quiet_NaN(), 1};
  const DevicePixels<T> logits(*this->stream_, in);
  const DeviceVector<std::uint8_t> truth(*this->stream_, std::vector<int>{1, 1});
  const DeviceVector<double> value(*this->stream_, std::vector<double>{5});
  kernels::lovasz<T>({value.data()}, logits.image(), {truth.data()}, *this->stream_);
  EXPECT_TRUE(std::isnan(value.values()[0]));
}

}  // namespace
}  // namespace plume::tests
