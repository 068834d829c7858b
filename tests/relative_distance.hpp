// How far two lists of values are from each other.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

namespace plume::tests {

// |a - b| / |b| in L2.
template <class T>
[[nodiscard]] double relative_distance(const std::vector<T>& a, const std::vector<T>& b) {
  double difference = 0;
  double norm = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const auto wanted = static_cast<double>(b[i]);
    const double off = static_cast<double>(a[i]) - wanted;
    difference += off * off;
    norm += wanted * wanted;
  }
  return std::sqrt(difference / std::max(norm, 1e-300));
}

}  // namespace plume::tests
