// Losses and their gradients against the formulas: weights, ignored pixels, several classes, values at the ends.
#include "kernels/loss.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "loss_reference.hpp"

namespace plume::tests {
namespace {

using kernels::ignore_label;

template <class T>
class Loss : public testing::Test {
 protected:
  // run(output, logits, targets) calls the kernel.
  template <class Run>
  void check(const LossProblem& problem, const LossAnswer& expected, const Run& run) {
    const auto weights = converted<T>(problem.weights);
    const auto class_weights = converted<T>(problem.class_weights);
    const auto soft = converted<T>(problem.soft);
    for (const bool add : {false, true}) {
      const Array before = Array::random(problem.logits.n, problem.logits.h, problem.logits.w, problem.logits.c, 4);
      Pixels<T> logits(problem.logits, 1);
      Pixels<T> grad(before, 2);
      const kernels::PixelTargets<T> targets{problem.labels.data(), weights.data(),
                                             class_weights.empty() ? nullptr : class_weights.data(),
                                             soft.empty() ? nullptr : soft.data()};
      double value = 5;
      run(kernels::LossOutput<T>{&value, grad.image(), 0.25, 2, add, add}, logits.image(), targets);
      const double wanted_value = 0.25 * expected.value + (add ? 5 : 0);
      EXPECT_NEAR(value, wanted_value, roundings<T>(8) * std::max(1.0, std::abs(expected.value)));
      Array wanted = expected.gradient;
      for (double& g : wanted.values) g *= 0.5;
      if (add) wanted.values = sum_of(wanted.values, before.values);
      expect_near(grad.array(), wanted, roundings<T>(16), "gradient");
      double again = 5;
      run(kernels::LossOutput<T>{&again, {}, 0.25, 2, add, add}, logits.image(), targets);
      EXPECT_EQ(again, value) << "without a gradient";
    }
  }

  // Binary of one channel.
  auto cross_entropy_kernel(double smoothing = 0) {
    return [this, smoothing](const auto& output, const auto& logits, const auto& targets) {
      if (logits.c == 1) {
        kernels::bce_with_logits<T>(output, logits, targets, smoothing, stream_);
      } else {
        kernels::softmax_cross_entropy<T>(output, logits, targets, smoothing, stream_);
      }
    };
  }
  auto focal(double gamma) {
    return [this, gamma](const auto&... args) { kernels::focal<T>(args..., gamma, stream_); };
  }
  auto ordinal() {
    return [this](const auto&... args) { kernels::ordinal<T>(args..., stream_); };
  }
  auto tversky(const kernels::TverskySettings& settings) {
    return [this, settings](const auto&... args) { kernels::tversky<T>(args..., settings, stream_); };
  }
  auto lovasz() {
    return [this](const auto&... args) { kernels::lovasz<T>(args..., stream_); };
  }
  auto dice(double smooth) {
    return [this, smooth](const auto&... args) { kernels::dice<T>(args..., smooth, stream_); };
  }

  kernels::CpuStream stream_{1};  // threads_test.cpp shows that more give the same bits
};
using Elements = testing::Types<float, double>;
TYPED_TEST_SUITE(Loss, Elements);

TYPED_TEST(Loss, BinaryCrossEntropy) {
  for (const std::uint32_t ignored : {0U, 4U}) {
    const LossProblem problem(3, 37, 21, 1, ignored);
    this->check(problem, cross_entropy(problem), this->cross_entropy_kernel());
  }
}

TYPED_TEST(Loss, SoftmaxCrossEntropy) {
  for (const int classes : {2, 5}) {
    const LossProblem problem(3, 9, 7, classes, 4);
    this->check(problem, cross_entropy(problem), this->cross_entropy_kernel());
  }
}

TYPED_TEST(Loss, Dice) {
  for (const int classes : {1, 2, 5}) {
    for (const double smooth : {0.0, 1.0}) {
      const LossProblem problem(3, 9, 7, classes, 4);
      this->check(problem, dice_loss(problem, smooth), this->dice(smooth));
    }
  }
}

TYPED_TEST(Loss, LabelSmoothing) {
  for (const int classes : {1, 2, 5}) {
    const LossProblem problem(3, 9, 7, classes, 4);
    this->check(problem, smoothed_cross_entropy(problem, 0.2), this->cross_entropy_kernel(0.2));
  }
}

TYPED_TEST(Loss, Focal) {
  for (const int classes : {1, 2, 5}) {
    for (const double gamma : {0.0, 0.5, 2.0}) {
      const LossProblem problem(3, 9, 7, classes, 4);
      this->check(problem, focal_loss(problem, gamma), this->focal(gamma));
    }
  }
}

TYPED_TEST(Loss, Ordinal) {
  for (const int classes : {2, 4, kernels::most_ordinal_classes}) {
    const LossProblem problem(3, 9, 7, classes, 4);
    this->check(problem, ordinal_loss(problem), this->ordinal());
  }
}

TYPED_TEST(Loss, ClassWeights) {
  for (const int classes : {1, 4}) {
    LossProblem problem(3, 9, 7, classes, 4);
    problem.class_weights = {0.5, 3, 0, 1.5};
    this->check(problem, cross_entropy(problem), this->cross_entropy_kernel());
    this->check(problem, focal_loss(problem, 2), this->focal(2));
    if (classes > 1) this->check(problem, ordinal_loss(problem), this->ordinal());
  }
}

TYPED_TEST(Loss, SoftTargets) {
  LossProblem problem(3, 37, 21, 1, 4);
  problem.labels = random_labels(problem.pixels(), 2, 4, 4);
  problem.soft = {0, 0.25, 0.5, 1};
  this->check(problem, cross_entropy(problem), this->cross_entropy_kernel());
  const kernels::TverskySettings settings{.alpha = 0.3, .beta = 0.7, .smooth = 0.5};
  this->check(problem, tversky_loss(problem, settings), this->tversky(settings));
}

TYPED_TEST(Loss, Tversky) {
  for (const int classes : {1, 2, 5}) {
    for (const double gamma : {0.75, 1.0, 2.0}) {
      const LossProblem problem(3, 9, 7, classes, 4);
      const kernels::TverskySettings settings{.alpha = 0.3, .beta = 0.7, .smooth = 0.5, .gamma = gamma};
      this->check(problem, tversky_loss(problem, settings), this->tversky(settings));
    }
  }
}

TYPED_TEST(Loss, Lovasz) {
  for (const int classes : {1, 2, 5}) {
    LossProblem problem(3, 9, 7, classes, 4);
    this->check(problem, lovasz_loss(problem), this->lovasz());
    std::replace(problem.labels.begin(), problem.labels.end(), std::uint8_t{1},
                 std::uint8_t{0});  // a class that is absent
    this->check(problem, lovasz_loss(problem), this->lovasz());
  }
}

// Where all is found and nothing else, nothing is left to learn, whatever the power.
TYPED_TEST(Loss, PerfectTverskyHasNoSlope) {
  using T = TypeParam;
  Array in(1, 1, 2, 1);
  in.values = {-800, 800};
  Pixels<T> logits(in);
  Pixels<T> grad(in.like());
  const std::uint8_t truth[] = {0, 1};
  for (const double gamma : {0.5, 1.0, 2.0}) {
    double value = 5;
    kernels::tversky<T>({&value, grad.image()}, logits.image(), {truth}, {.gamma = gamma}, this->stream_);
    EXPECT_EQ(value, 0);
    for (const double slope : grad.array().values) EXPECT_EQ(slope, 0);
  }
}

TYPED_TEST(Loss, EveryPixelIgnored) {
  for (const int classes : {1, 3}) {
    LossProblem problem(2, 3, 5, classes, 0);
    problem.labels.assign(problem.labels.size(), ignore_label);
    const LossAnswer nothing{0, problem.logits.like()};
    if (classes == 1) {
      this->check(problem, nothing, this->cross_entropy_kernel());
    } else {
      this->check(problem, nothing, this->cross_entropy_kernel());
    }
    this->check(problem, nothing, this->focal(2));
    this->check(problem, nothing, this->lovasz());
    if (classes > 1) this->check(problem, nothing, this->ordinal());
    this->check(problem, nothing, this->dice(1));
    this->check(problem, nothing, this->dice(0));
  }
}

// Without weights every pixel counts once: as with weights of 1.
TYPED_TEST(Loss, NoWeightsAreWeightsOfOne) {
  using T = TypeParam;
  LossProblem problem(2, 5, 4, 1, 4);
  problem.weights.assign(problem.weights.size(), 1);
  Pixels<T> logits(problem.logits);
  const kernels::PixelTargets<T> targets{problem.labels.data(), nullptr};
  double value = 0;
  kernels::bce_with_logits<T>({&value}, logits.image(), targets, 0, this->stream_);
  EXPECT_NEAR(value, cross_entropy(problem).value, roundings<T>(8));
  kernels::dice<T>({&value}, logits.image(), targets, 1, this->stream_);
  EXPECT_NEAR(value, dice_loss(problem, 1).value, roundings<T>(8));
}

// Certain and wrong: the loss is the logit, the gradient one; certain and right: both are zero.
TYPED_TEST(Loss, ExtremeLogits) {
  using T = TypeParam;
  for (const int sign : {-1, 1}) {
    for (const int label : {0, 1}) {
      Array in(1, 1, 1, 1);
      in.values = {800.0 * sign};
      Pixels<T> logits(in);
      Pixels<T> grad(in.like());
      const auto truth = static_cast<std::uint8_t>(label);
      double value = 0;
      kernels::bce_with_logits<T>({&value, grad.image()}, logits.image(), {&truth, nullptr}, 0, this->stream_);
      const bool right = (sign > 0) == (label == 1);
      EXPECT_EQ(value, right ? 0 : 800);
      EXPECT_EQ(grad.array().values[0], right ? 0 : sign);
      kernels::focal<T>({&value, grad.image()}, logits.image(), {&truth}, 2, this->stream_);
      EXPECT_EQ(value, right ? 0 : 800);
      EXPECT_EQ(grad.array().values[0], right ? 0 : sign);
    }
  }
}

// As far from the truth as can be: losses and slopes stay numbers.
TYPED_TEST(Loss, ExtremeLogitsOfSeveralClasses) {
  using T = TypeParam;
  Array in(1, 1, 2, 3);
  in.values = {800, 0, -800, -800, 800, 0};
  Pixels<T> logits(in);
  Pixels<T> grad(in.like());
  const std::uint8_t truth[] = {2, 1};  // the first wrong, the second right
  double value = 5;
  kernels::focal<T>({&value, grad.image()}, logits.image(), {truth}, 2, this->stream_);
  EXPECT_EQ(value, 800);
  EXPECT_EQ(grad.array().values, (std::vector<double>{0.5, 0, -0.5, 0, 0, 0}));
  kernels::ordinal<T>({&value, grad.image()}, logits.image(), {truth}, this->stream_);
  EXPECT_EQ(value, (800 + 1600) / 2.0 / 2);  // over both borders and both pixels
  EXPECT_EQ(grad.array().values, (std::vector<double>{0.5, -0.25, -0.25, 0, 0, 0}));
}

}  // namespace
}  // namespace plume::tests
