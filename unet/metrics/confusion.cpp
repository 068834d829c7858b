// Confusion counts and the metrics made of them.
#include "unet/metrics/confusion.hpp"

#include <algorithm>
#include <cstddef>

#include "kernels/loss.hpp"
#include "unet/metrics/ratio.hpp"

namespace plume::unet {
namespace {

void count(Confusion& counts, bool predicted, bool actual) {
  if (predicted) {
    ++(actual ? counts.true_positive : counts.false_positive);
  } else {
    ++(actual ? counts.false_negative : counts.true_negative);
  }
}

// The class that a pixel's probabilities say; a binary model's are 0 and 1.
int found_class(const float* probability, int classes, float threshold) {
  if (classes == 1) return probability[0] > threshold ? 1 : 0;
  return static_cast<int>(std::max_element(probability, probability + classes) - probability);
}

}  // namespace

Confusion& Confusion::operator+=(const Confusion& other) {
  true_positive += other.true_positive;
  false_positive += other.false_positive;
  false_negative += other.false_negative;
  true_negative += other.true_negative;
  return *this;
}

double Confusion::iou() const {
  return ratio(true_positive, true_positive + false_positive + false_negative, true);
}

double Confusion::dice() const {
  return ratio(2 * true_positive, 2 * true_positive + false_positive + false_negative, true);
}

double Confusion::precision() const {
  return ratio(true_positive, true_positive + false_positive, false_negative == 0);
}

double Confusion::recall() const {
  return ratio(true_positive, true_positive + false_negative, false_positive == 0);
}

double Confusion::accuracy() const {
  return ratio(true_positive + true_negative, true_positive + true_negative + false_positive + false_negative, true);
}

double Confusion::false_positive_rate() const {
  return ratio(false_positive, false_positive + true_negative);
}

void count_pixels(std::vector<Confusion>& counts, const float* probability, const std::uint8_t* labels,
                  std::int64_t pixels, int classes, float threshold) {
  for (std::int64_t p = 0; p < pixels; ++p, probability += classes) {
    if (labels[p] == kernels::ignore_label) continue;
    const int predicted = found_class(probability, classes, threshold);
    if (classes == 1) {
      count(counts[0], predicted == 1, labels[p] == 1);
      continue;
    }
    for (int c = 0; c < classes; ++c) count(counts[static_cast<std::size_t>(c)], predicted == c, labels[p] == c);
  }
}

std::vector<std::uint8_t> found_classes(const float* probability, std::int64_t pixels, int classes, float threshold) {
  std::vector<std::uint8_t> found(static_cast<std::size_t>(pixels));
  for (std::uint8_t& pixel : found) {
    pixel = static_cast<std::uint8_t>(found_class(probability, classes, threshold));
    probability += classes;
  }
  return found;
}

ConfusionMatrix::ConfusionMatrix(int classes)
    : size_(std::max(classes, 2)), counts_(static_cast<std::size_t>(size_) * static_cast<std::size_t>(size_)) {}

void ConfusionMatrix::add(const float* probability, const std::uint8_t* labels, std::int64_t pixels, int classes,
                          float threshold) {
  for (std::int64_t p = 0; p < pixels; ++p, probability += classes) {
    if (labels[p] == kernels::ignore_label) continue;
    ++counts_[static_cast<std::size_t>(labels[p] * size_ + found_class(probability, classes, threshold))];
  }
}

Confusion ConfusionMatrix::at_least(int level) const {
  Confusion counts;
  for (int truth = 0; truth < size_; ++truth) {
    for (int found = 0; found < size_; ++found) {
      const bool there = truth >= level;
      const std::int64_t pixels = at(truth, found);
      (found >= level ? there ? counts.true_positive : counts.false_positive
       : there        ? counts.false_negative
                      : counts.true_negative) += pixels;
    }
  }
  return counts;
}

double foreground_mean(const std::vector<Confusion>& counts, Ratio ratio) {
  const std::size_t first = counts.size() == 1 ? 0 : 1;
  double sum = 0;
  for (std::size_t c = first; c < counts.size(); ++c) sum += (counts[c].*ratio)();
  return sum / static_cast<double>(counts.size() - first);
}

}  // namespace plume::unet
