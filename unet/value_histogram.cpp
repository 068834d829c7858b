#include "unet/value_histogram.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "kernels/base/error.hpp"

namespace plume::unet {
namespace {

constexpr double steps = 255;
constexpr int candidates = 100;  // of each end of the range

double squared(double value) {
  return value * value;
}

}  // namespace

void ValueHistogram::add(std::span<const float> values) {
  for (const float value : values) {
    if (!std::isfinite(value)) throw input_error("the network yields values that are not finite");
    all_ = {std::min(all_.low, value), std::max(all_.high, value)};
  }
  grow_to(std::max(-all_.low, all_.high));
  const float bins_per_unit = limit_ > 0 ? half / limit_ : 0;
  for (const float value : values) {
    if (value != 0) ++counts_[static_cast<std::size_t>((value + limit_) * bins_per_unit)];
  }
}

void ValueHistogram::grow_to(float magnitude) {
  if (magnitude < limit_ || magnitude == 0) return;
  const float limit = std::exp2(std::floor(std::log2(magnitude)) + 1);
  const int shift = limit_ > 0 ? std::ilogb(limit) - std::ilogb(limit_) : 0;
  std::vector<std::uint64_t> merged(counts_.size());
  for (int i = 0; i < half; ++i) {
    const int place = shift < 31 ? i >> shift : 0;
    merged[static_cast<std::size_t>(half + place)] += counts_[static_cast<std::size_t>(half + i)];
    merged[static_cast<std::size_t>(half - 1 - place)] += counts_[static_cast<std::size_t>(half - 1 - i)];
  }
  counts_ = std::move(merged);
  limit_ = limit;
}

double ValueHistogram::error(Range range) const {
  const double low = range.low;
  const double high = range.high;
  const double inside = squared((high - low) / steps) / 12;
  const double width = static_cast<double>(limit_) / half;
  double sum = 0;
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    if (counts_[i] == 0) continue;
    const double value = (static_cast<double>(i) + 0.5 - half) * width;
    const double outside = std::max({low - value, value - high, 0.0});
    sum += static_cast<double>(counts_[i]) * (inside + squared(outside));
  }
  return sum;
}

Range ValueHistogram::least_error() const {
  Range best = all_;
  double least = error(best);
  // One end at a time, until neither moves.
  for (bool moved = true; std::exchange(moved, false);) {
    for (const bool upper : {true, false}) {
      const Range start = best;
      for (int i = 1; i <= candidates; ++i) {
        const float share = static_cast<float>(i) / candidates;
        const Range candidate = upper ? Range{start.low, all_.high * share} : Range{all_.low * share, start.high};
        const double candidate_error = error(candidate);
        if (candidate_error >= least) continue;
        least = candidate_error;
        best = candidate;
        moved = true;
      }
    }
  }
  return best;
}

}  // namespace plume::unet
