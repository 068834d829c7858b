// Values for tests, the same on every machine: all are exact in float, so that float and double start alike.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "kernels/base/philox.hpp"

namespace plume::tests {

// Uniform in [low, high).
inline std::vector<double> random_values(std::size_t count, std::uint64_t seed, double low = -1, double high = 1) {
  Philox random(seed, 0);
  std::vector<double> values(count);
  for (double& value : values) value = static_cast<float>(low + (high - low) * static_cast<double>(random.uniform()));
  return values;
}

// Class indices below `classes`; about one in `ignored_share` is 255, the label that counts in nothing (none for 0).
inline std::vector<std::uint8_t> random_labels(std::size_t count, std::uint64_t seed, int classes,
                                               std::uint32_t ignored_share = 5) {
  Philox random(seed, 1);
  std::vector<std::uint8_t> labels(count);
  for (std::uint8_t& label : labels) {
    label = static_cast<std::uint8_t>(random.below(static_cast<std::uint32_t>(classes)));
    if (ignored_share > 0 && random.below(ignored_share) == 0) label = 255;
  }
  return labels;
}

}  // namespace plume::tests
