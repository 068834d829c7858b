// What measurements report: the middle one.
#pragma once

#include <algorithm>
#include <iterator>
#include <vector>

namespace plume::unet {

// Of an even number of values the upper of the two in the middle. There must be at least one.
[[nodiscard]] inline double median(std::vector<double> values) {
  const auto middle = values.begin() + std::ssize(values) / 2;
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

}  // namespace plume::unet
