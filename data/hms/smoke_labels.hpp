// What a shard's labels say of smoke densities.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "data/hms/polygons.hpp"

namespace plume::data {

enum class SmokeLabels {
  binary,  // 1 where the smoke is at least `least` dense, else 0
  levels,  // 0 none, 1 light, 2 medium, 3 heavy: four ordinal classes
  soft,    // labels as for levels; the shard's label_target says how much of a positive each of them is
};

struct SmokeLabelRule {
  SmokeLabels labels = SmokeLabels::binary;
  SmokeDensity least = SmokeDensity::light;
  std::array<float, 4> targets{0, 1.0F / 3, 2.0F / 3, 1};  // soft: of none, light, medium and heavy, each in [0, 1]

  // Of the shard (shard.hpp): 1 for binary, 4 otherwise.
  [[nodiscard]] int classes() const { return labels == SmokeLabels::binary ? 1 : 4; }
  // Empty unless soft.
  [[nodiscard]] std::vector<float> label_targets() const;
};

// densities [cells] as rasterize_smoke gives them; in place.
void label_smoke(std::vector<std::uint8_t>& densities, const SmokeLabelRule& rule);

}  // namespace plume::data
