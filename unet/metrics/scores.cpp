// Curves over thresholds from counts by probability.
#include "unet/metrics/scores.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <functional>
#include <numeric>

#include "kernels/loss.hpp"
#include "unet/metrics/ratio.hpp"

namespace plume::unet {
namespace {

constexpr double probability_of(std::size_t step) {
  return static_cast<double>(step) / Scores::steps;
}

// Halves are rounded up; NaN is no probability, and counts as none.
std::size_t step_of(float probability) {
  const float value = probability > 0 ? std::min(probability, 1.0F) : 0.0F;
  return static_cast<std::size_t>(value * static_cast<float>(Scores::steps) + 0.5F);
}

// The largest f32 that step_of puts below the step.
double below(std::size_t step) {
  return static_cast<double>(std::nextafter(
      static_cast<float>((static_cast<double>(std::max<std::size_t>(step, 1)) - 0.5) / Scores::steps), 0.0F));
}

}  // namespace

Scores::Scores() : positive_(steps + 1), negative_(steps + 1) {}

void Scores::add(const float* probability, const std::uint8_t* labels, std::int64_t pixels, int classes, int column,
                 int label) {
  for (std::int64_t p = 0; p < pixels; ++p) {
    if (labels[p] == kernels::ignore_label) continue;
    ++(labels[p] == label ? positive_ : negative_)[step_of(probability[p * classes + column])];
  }
}

void Scores::add_foreground(const float* probability, const std::uint8_t* labels, std::int64_t pixels, int classes) {
  for (std::int64_t p = 0; p < pixels; ++p) {
    if (labels[p] == kernels::ignore_label) continue;
    ++(labels[p] == 0 ? negative_ : positive_)[step_of(1 - probability[p * classes])];
  }
}

Scores& Scores::operator+=(const Scores& other) {
  std::transform(positive_.begin(), positive_.end(), other.positive_.begin(), positive_.begin(), std::plus<>());
  std::transform(negative_.begin(), negative_.end(), other.negative_.begin(), negative_.begin(), std::plus<>());
  return *this;
}

std::int64_t Scores::positives() const {
  return std::accumulate(positive_.begin(), positive_.end(), std::int64_t{0});
}
std::int64_t Scores::negatives() const {
  return std::accumulate(negative_.begin(), negative_.end(), std::int64_t{0});
}

std::vector<CurvePoint> Scores::curve() const {
  const std::int64_t all_positives = positives();
  const std::int64_t all_negatives = negatives();
  std::vector<CurvePoint> points;
  std::int64_t hits = 0;
  std::int64_t alarms = 0;
  for (std::size_t step = positive_.size(); step-- > 0;) {
    if (positive_[step] + negative_[step] == 0) continue;
    hits += positive_[step];
    alarms += negative_[step];
    points.push_back(
        {probability_of(step), ratio(hits, hits + alarms), ratio(hits, all_positives), ratio(alarms, all_negatives)});
  }
  return points;
}

double Scores::average_precision() const {
  double sum = 0;
  double recall = 0;
  for (const CurvePoint& point : curve()) {
    sum += (point.recall - recall) * point.precision;
    recall = point.recall;
  }
  return sum;
}

double Scores::roc_area() const {
  double sum = 0;
  CurvePoint last{1, 1, 0, 0};
  for (const CurvePoint& point : curve()) {
    sum += (point.false_positive_rate - last.false_positive_rate) * (point.recall + last.recall) / 2;
    last = point;
  }
  return sum;
}

double Scores::brier() const {
  double sum = 0;
  for (std::size_t step = 0; step < positive_.size(); ++step) {
    const double p = probability_of(step);
    sum += static_cast<double>(positive_[step]) * (1 - p) * (1 - p) + static_cast<double>(negative_[step]) * p * p;
  }
  const std::int64_t count = positives() + negatives();
  return count == 0 ? 0.0 : sum / static_cast<double>(count);
}

std::vector<Scores::Bin> Scores::reliability(int bins) const {
  std::vector<Bin> result(static_cast<std::size_t>(bins));
  std::vector<std::int64_t> right(result.size());
  for (std::size_t step = 0; step < positive_.size(); ++step) {
    const std::int64_t count = positive_[step] + negative_[step];
    // ceil(step * bins / steps) - 1, in whole numbers: a border belongs below.
    const std::size_t above = (step * result.size() + steps - 1) / steps;
    const std::size_t bin = above == 0 ? 0 : above - 1;
    result[bin].count += count;
    result[bin].probability += static_cast<double>(count) * probability_of(step);
    right[bin] += positive_[step];
  }
  for (std::size_t bin = 0; bin < result.size(); ++bin) {
    result[bin].share = ratio(right[bin], result[bin].count);
    if (result[bin].count > 0) result[bin].probability /= static_cast<double>(result[bin].count);
  }
  return result;
}

double Scores::calibration_error(int bins) const {
  double sum = 0;
  std::int64_t count = 0;
  for (const Bin& bin : reliability(bins)) {
    sum += static_cast<double>(bin.count) * std::abs(bin.share - bin.probability);
    count += bin.count;
  }
  return count == 0 ? 0.0 : sum / static_cast<double>(count);
}

Confusion Scores::above(double threshold) const {
  Confusion counts;
  for (std::size_t step = 0; step < positive_.size(); ++step) {
    const bool found = probability_of(step) > threshold;
    (found ? counts.true_positive : counts.false_negative) += positive_[step];
    (found ? counts.false_positive : counts.true_negative) += negative_[step];
  }
  return counts;
}

Scores::Best Scores::best_iou() const {
  Best best;
  const std::int64_t all_positives = positives();
  std::int64_t hits = 0;
  std::int64_t alarms = 0;
  for (std::size_t step = positive_.size(); step-- > 0;) {
    if (positive_[step] + negative_[step] == 0) continue;
    hits += positive_[step];
    alarms += negative_[step];
    const double iou = ratio(hits, all_positives + alarms);
    if (iou > best.iou) best = {below(step), iou};
  }
  return best;
}

}  // namespace plume::unet
