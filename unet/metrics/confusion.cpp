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

void count_pixels(std::vector<Confusion>& counts, const float* probability, const std::uint8_t* labels,
                  std::int64_t pixels, int classes, float threshold) {
  for (std::int64_t p = 0; p < pixels; ++p, probability += classes) {
    if (labels[p] == kernels::ignore_label) continue;
    if (classes == 1) {
      count(counts[0], probability[0] > threshold, labels[p] == 1);
      continue;
    }
    const auto predicted = std::max_element(probability, probability + classes) - probability;
    for (int c = 0; c < classes; ++c) count(counts[static_cast<std::size_t>(c)], predicted == c, labels[p] == c);
  }
}

double foreground_iou(const std::vector<Confusion>& counts) {
  const std::size_t first = counts.size() == 1 ? 0 : 1;
  double sum = 0;
  for (std::size_t c = first; c < counts.size(); ++c) sum += counts[c].iou();
  return sum / static_cast<double>(counts.size() - first);
}

}  // namespace plume::unet
