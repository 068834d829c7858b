// How NASA-IMPACT's pixel-detector makes bytes of reflectance; its tiles and models have them.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace plume::data::abi {

// floor(sqrt(100 * clip(reflectance, 0, 1)) * 25.5): a square root, so that dim surfaces keep their steps.
[[nodiscard]] inline std::uint8_t byte_of_reflectance(double reflectance) {
  return static_cast<std::uint8_t>(std::sqrt(100 * std::clamp(reflectance, 0.0, 1.0)) * 25.5);  // rounds down
}

}  // namespace plume::data::abi
