// How often each size of value occurs, gathered without knowing the range beforehand.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "unet/ranges.hpp"

namespace plume::unet {

// Equal bins from -limit to limit; where a value lies beyond, limit doubles and pairs of bins become one. The counts depend on
// the values alone, not on their order.
class ValueHistogram {
 public:
  // Throws input_error where a value is not finite.
  void add(std::span<const float> values);

  // From the least to the greatest value; {0, 0} where there was none.
  [[nodiscard]] Range all() const { return all_; }

  // The range in which 256 equal steps give the least mean squared error: a step^2 / 12 for what lies inside, and the squared
  // distance to the end for what lies outside (Jacob et al. take all(); clipping is what TensorRT and others found better).
  [[nodiscard]] Range least_error() const;

 private:
  void grow_to(float magnitude);
  [[nodiscard]] double error(Range range) const;

  static constexpr int half = 2048;                                           // bins on either side of 0
  std::vector<std::uint64_t> counts_ = std::vector<std::uint64_t>(2 * half);  // without zeros, which are always exact
  float limit_ = 0;  // a power of two; 0 before the first value
  Range all_;
};

}  // namespace plume::unet
