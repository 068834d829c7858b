// Densities to labels.
#include "data/hms/smoke_labels.hpp"

#include <algorithm>

namespace plume::data {

std::vector<float> SmokeLabelRule::label_targets() const {
  if (labels != SmokeLabels::soft) return {};
  return {targets.begin(), targets.end()};
}

void label_smoke(std::vector<std::uint8_t>& densities, const SmokeLabelRule& rule) {
  if (rule.labels != SmokeLabels::binary) return;
  const auto least = static_cast<std::uint8_t>(rule.least);
  std::transform(densities.begin(), densities.end(), densities.begin(),
                 [&](std::uint8_t density) { return static_cast<std::uint8_t>(density >= least ? 1 : 0); });
}

}  // namespace plume::data
