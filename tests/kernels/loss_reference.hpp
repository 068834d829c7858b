// Losses and their gradients in double, by their formulas and without a thought of speed.
#pragma once

#include <algorithm>
#include <cmath>
#include <complex>
#include <cstdint>
#include <vector>

#include "array.hpp"
#include "kernels/loss.hpp"

namespace plume::tests {

// Logits, labels and weights of a problem in double, and the reference's answers.
struct LossProblem {
  Array logits;
  std::vector<std::uint8_t> labels;
  std::vector<double> weights;
  std::vector<double> class_weights;  // empty: none
  std::vector<double> soft;           // likewise

  LossProblem(int n, int h, int w, int classes, std::uint32_t ignored_share)
      : logits(Array::random(n, h, w, classes, 1, -3, 3)),
        labels(random_labels(static_cast<std::size_t>(n * h * w), 2, std::max(classes, 2), ignored_share)),
        weights(random_values(labels.size(), 3, 0.1F, 2)) {}

  [[nodiscard]] std::size_t pixels() const { return labels.size(); }
  [[nodiscard]] int classes() const { return logits.c; }
  [[nodiscard]] double weight(std::size_t p) const {
    if (labels[p] == kernels::ignore_label) return 0;
    return class_weights.empty() ? weights[p] : weights[p] * class_weights[labels[p]];
  }
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
  [[nodiscard]] double truth(std::size_t p, int c) const {
    if (!soft.empty() && labels[p] != kernels::ignore_label) return soft[labels[p]];
    return labels[p] == (classes() == 1 ? 1 : c) ? 1 : 0;
  }
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

inline LossAnswer cross_entropy(const LossProblem& problem) {
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

// A loss that is a mean over pixels by weight: of_pixel(probabilities, label) is analytic, so that a step along the
// imaginary axis gives its derivative to the last bits.
using Complex = std::complex<double>;
template <class OfPixel>
inline LossAnswer mean_loss(const LossProblem& problem, const OfPixel& of_pixel) {
  LossAnswer answer{0, problem.logits.like()};
  const auto classes = static_cast<std::size_t>(problem.classes());
  double total = 0;
  for (std::size_t p = 0; p < problem.pixels(); ++p) total += problem.weight(p);
  for (std::size_t p = 0; p < problem.pixels(); ++p) {
    if (problem.weight(p) == 0) continue;
    const double share = problem.weight(p) / total;
    std::vector<Complex> probability(classes);
    for (std::size_t c = 0; c < classes; ++c) probability[c] = problem.probability(p, static_cast<int>(c));
    answer.value += share * of_pixel(probability, problem.labels[p]).real();
    constexpr double step = 1e-100;
    for (std::size_t c = 0; c < classes; ++c) {
      auto stepped = probability;
      stepped[c] += Complex(0, step);
      const double by_probability = of_pixel(stepped, problem.labels[p]).imag() / step;
      for (std::size_t k = 0; k < classes; ++k) {
        answer.gradient.values[p * classes + k] +=
            share * by_probability * problem.slope(p, static_cast<int>(c), static_cast<int>(k));
      }
    }
  }
  return answer;
}

// Of one channel the probability of label 0 is what is left of 1.
inline Complex probability_of(const std::vector<Complex>& probability, int label) {
  if (probability.size() > 1) return probability[static_cast<std::size_t>(label)];
  return label == 1 ? probability[0] : 1.0 - probability[0];
}

inline LossAnswer smoothed_cross_entropy(const LossProblem& problem, double smoothing) {
  return mean_loss(problem, [&](const std::vector<Complex>& probability, int label) {
    const int labels = std::max(static_cast<int>(probability.size()), 2);
    Complex sum = -(1 - smoothing) * std::log(probability_of(probability, label));
    for (int c = 0; c < labels; ++c) sum -= smoothing / labels * std::log(probability_of(probability, c));
    return sum;
  });
}

inline LossAnswer focal_loss(const LossProblem& problem, double gamma) {
  return mean_loss(problem, [&](const std::vector<Complex>& probability, int label) {
    const Complex there = probability_of(probability, label);
    return -std::pow(1.0 - there, gamma) * std::log(there);
  });
}

inline LossAnswer ordinal_loss(const LossProblem& problem) {
  return mean_loss(problem, [&](const std::vector<Complex>& probability, int label) {
    Complex sum = 0;
    const auto borders = static_cast<int>(probability.size()) - 1;
    for (int border = 0; border < borders; ++border) {
      Complex side = 0;
      for (int c = 0; c <= borders; ++c)
        if ((c > border) == (label > border)) side += probability[static_cast<std::size_t>(c)];
      sum -= std::log(side);
    }
    return sum / static_cast<double>(borders);
  });
}

inline LossAnswer tversky_loss(const LossProblem& problem, const kernels::TverskySettings& settings) {
  LossAnswer answer{0, problem.logits.like()};
  const int classes = problem.classes();
  for (int c = 0; c < classes; ++c) {
    double both = 0, found = 0, missed = 0;
    for (std::size_t p = 0; p < problem.pixels(); ++p) {
      if (problem.weight(p) == 0) continue;
      const double probability = problem.probability(p, c);
      both += problem.weight(p) * probability * problem.truth(p, c);
      found += problem.weight(p) * probability * (1 - problem.truth(p, c));
      missed += problem.weight(p) * (1 - probability) * problem.truth(p, c);
    }
    const double top = both + settings.smooth;
    const double bottom = both + settings.alpha * found + settings.beta * missed + settings.smooth;
    const double missing = 1 - top / bottom;
    answer.value += std::pow(missing, settings.gamma) / classes;
    for (std::size_t p = 0; p < problem.pixels(); ++p) {
      if (problem.weight(p) == 0) continue;
      const double y = problem.truth(p, c);
      const double by_bottom = y + settings.alpha * (1 - y) - settings.beta * y;
      const double by_probability = -settings.gamma * std::pow(missing, settings.gamma - 1) * problem.weight(p) *
                                    (y / bottom - top * by_bottom / (bottom * bottom));
      for (int k = 0; k < classes; ++k) {
        answer.gradient.values[p * static_cast<std::size_t>(classes) + static_cast<std::size_t>(k)] +=
            by_probability * problem.slope(p, c, k) / classes;
      }
    }
  }
  return answer;
}

inline LossAnswer dice_loss(const LossProblem& problem, double smooth) {
  return tversky_loss(problem, {.smooth = smooth / 2});
}

// The extension by its definition: an integral over levels of 1 - IoU where the errors above a level are made. Its
// slope by an error is what the loss grows by when the error's pixel joins those of larger errors.
inline LossAnswer lovasz_loss(const LossProblem& problem) {
  LossAnswer answer{0, problem.logits.like()};
  const int classes = problem.classes();
  std::vector<std::size_t> pixels;
  for (std::size_t p = 0; p < problem.pixels(); ++p)
    if (problem.labels[p] != kernels::ignore_label) pixels.push_back(p);
  std::vector<int> present;
  for (int c = 0; c < classes; ++c) {
    const bool any = std::any_of(pixels.begin(), pixels.end(), [&](std::size_t p) { return problem.truth(p, c) == 1; });
    if (any || classes == 1) present.push_back(c);
  }
  for (const int c : present) {
    const auto error = [&](std::size_t p) {
      if (classes == 1) return 1 - problem.logit(p, 0) * (2 * problem.truth(p, 0) - 1);
      return std::abs(problem.truth(p, c) - problem.probability(p, c));
    };
    // 1 - IoU where exactly the pixels whose errors are at least (or above) this one are wrong.
    const auto loss_of_wrong = [&](double level, bool with) {
      double right_and_there = 0, there = 0, invented = 0;
      for (const std::size_t p : pixels) {
        const bool wrong = with ? error(p) >= level : error(p) > level;
        there += problem.truth(p, c);
        right_and_there += wrong ? 0 : problem.truth(p, c);
        invented += wrong ? 1 - problem.truth(p, c) : 0;
      }
      return there + invented == 0 ? 0 : 1 - right_and_there / (there + invented);
    };
    for (const std::size_t p : pixels) {
      if (error(p) <= 0) continue;
      const double slope = loss_of_wrong(error(p), true) - loss_of_wrong(error(p), false);
      answer.value += error(p) * slope / static_cast<double>(present.size());
      const double sign = problem.truth(p, c) == 1 ? -1 : 1;
      for (int k = 0; k < classes; ++k) {
        answer.gradient.values[p * static_cast<std::size_t>(classes) + static_cast<std::size_t>(k)] +=
            sign * slope * (classes == 1 ? 1 : problem.slope(p, c, k)) / static_cast<double>(present.size());
      }
    }
  }
  return answer;
}

}  // namespace plume::tests
