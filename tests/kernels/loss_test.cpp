// Losses and their gradients against the formulas: weights, ignored pixels, several classes, values at the ends.
#include "kernels/loss.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "array.hpp"

namespace plume::tests {
namespace {

using kernels::ignore_label;

// Logits, labels and weights of a problem in double, and the reference's answers.
struct LossProblem {
  Array logits;
  std::vector<std::uint8_t> labels;
  std::vector<double> weights;

  LossProblem(int n, int h, int w, int classes, std::uint32_t ignored_share)
      : logits(Array::random(n, h, w, classes, 1, -3, 3)),
        labels(random_labels(static_cast<std::size_t>(n * h * w), 2, std::max(classes, 2), ignored_share)),
        weights(random_values(labels.size(), 3, 0.1F, 2)) {}

  [[nodiscard]] std::size_t pixels() const { return labels.size(); }
  [[nodiscard]] int classes() const { return logits.c; }
  [[nodiscard]] double weight(std::size_t p) const { return labels[p] == ignore_label ? 0 : weights[p]; }
  [[nodiscard]] double logit(std::size_t p, int c) const {
    return logits.values[p * static_cast<std::size_t>(logits.c) + static_cast<std::size_t>(c)];
  }
  // Sigmoid for one channel, softmax for more.
  [[nodiscard]] double probability(std::size_t p, int c) const {
    if (classes() == 1) return 1 / (1 + std::exp(-logit(p, 0)));
    double sum = 0;
    for (int k = 0; k < classes(); ++k) sum += std::exp(logit(p, k));
    return std::exp(logit(p, c)) / sum;
  }
  [[nodiscard]] double truth(std::size_t p, int c) const { return labels[p] == (classes() == 1 ? 1 : c) ? 1 : 0; }
  // d probability(p, c) / d logit(p, k)
  [[nodiscard]] double slope(std::size_t p, int c, int k) const {
    const double here = probability(p, c);
    return classes() == 1 ? here * (1 - here) : here * ((c == k ? 1 : 0) - probability(p, k));
  }
};

struct LossAnswer {
  double value = 0;
  Array gradient;
};

LossAnswer cross_entropy(const LossProblem& problem) {
  LossAnswer answer{0, problem.logits.like()};
  double total = 0;
  for (std::size_t p = 0; p < problem.pixels(); ++p) total += problem.weight(p);
  if (total == 0) return answer;
  for (std::size_t p = 0; p < problem.pixels(); ++p) {
    if (problem.weight(p) == 0) continue;
    const double share = problem.weight(p) / total;
    for (int c = 0; c < problem.classes(); ++c) {
      const double y = problem.truth(p, c);
      const double probability = problem.probability(p, c);
      answer.value -= share * y * std::log(probability);
      if (problem.classes() == 1) answer.value -= share * (1 - y) * std::log(1 - probability);
      answer.gradient.values[p * static_cast<std::size_t>(problem.classes()) + static_cast<std::size_t>(c)] =
          share * (probability - y);
    }
  }
  return answer;
}

LossAnswer dice_loss(const LossProblem& problem, double smooth) {
  LossAnswer answer{0, problem.logits.like()};
  const int classes = problem.classes();
  for (int c = 0; c < classes; ++c) {
    double both = 0;
    double total = 0;
    for (std::size_t p = 0; p < problem.pixels(); ++p) {
      if (problem.weight(p) == 0) continue;
      both += problem.weight(p) * problem.probability(p, c) * problem.truth(p, c);
      total += problem.weight(p) * (problem.probability(p, c) + problem.truth(p, c));
    }
    const double top = 2 * both + smooth;
    const double bottom = total + smooth;
    answer.value += (1 - top / bottom) / classes;
    for (std::size_t p = 0; p < problem.pixels(); ++p) {
      if (problem.weight(p) == 0) continue;
      const double by_probability = problem.weight(p) * (top / (bottom * bottom) - 2 * problem.truth(p, c) / bottom);
      for (int k = 0; k < classes; ++k) {
        answer.gradient.values[p * static_cast<std::size_t>(classes) + static_cast<std::size_t>(k)] +=
            by_probability * problem.slope(p, c, k) / classes;
      }
    }
  }
  return answer;
}

template <class T>
class Loss : public testing::Test {
 protected:
  // run(output, logits, targets) calls the kernel.
  template <class Run>
  void check(const LossProblem& problem, const LossAnswer& expected, const Run& run) {
    const auto weights = converted<T>(problem.weights);
    for (const bool add : {false, true}) {
      const Array before = Array::random(problem.logits.n, problem.logits.h, problem.logits.w, problem.logits.c, 4);
      Pixels<T> logits(problem.logits, 1);
      Pixels<T> grad(before, 2);
      const kernels::PixelTargets<T> targets{problem.labels.data(), weights.data()};
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

  auto bce() {
    return [this](const auto&... args) { kernels::bce_with_logits<T>(args..., stream_); };
  }
  auto softmax() {
    return [this](const auto&... args) { kernels::softmax_cross_entropy<T>(args..., stream_); };
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
    this->check(problem, cross_entropy(problem), this->bce());
  }
}

TYPED_TEST(Loss, SoftmaxCrossEntropy) {
  for (const int classes : {2, 5}) {
    const LossProblem problem(3, 9, 7, classes, 4);
    this->check(problem, cross_entropy(problem), this->softmax());
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

TYPED_TEST(Loss, EveryPixelIgnored) {
  for (const int classes : {1, 3}) {
    LossProblem problem(2, 3, 5, classes, 0);
    problem.labels.assign(problem.labels.size(), ignore_label);
    const LossAnswer nothing{0, problem.logits.like()};
    if (classes == 1) {
      this->check(problem, nothing, this->bce());
    } else {
      this->check(problem, nothing, this->softmax());
    }
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
  kernels::bce_with_logits<T>({&value}, logits.image(), targets, this->stream_);
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
      kernels::bce_with_logits<T>({&value, grad.image()}, logits.image(), {&truth, nullptr}, this->stream_);
      const bool right = (sign > 0) == (label == 1);
      EXPECT_EQ(value, right ? 0 : 800);
      EXPECT_EQ(grad.array().values[0], right ? 0 : sign);
    }
  }
}

}  // namespace
}  // namespace plume::tests
