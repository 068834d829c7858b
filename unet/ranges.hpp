// The ranges of a network's values, which its 8-bit form is made by (kernels/quantized.hpp).
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace plume::unet {

struct Range {
  float low = 0;
  float high = 0;
  bool operator==(const Range&) const = default;
};

// By layer: of what it yields in the network that fold_norms() makes.
using Ranges = std::map<std::string, Range>;

// JSON text, {"layer": [low, high], ...}, as kept in a model's metadata. ranges_from_json throws input_error saying what is
// wrong: another form, a value that is not finite, low above high.
[[nodiscard]] std::string to_json(const Ranges& ranges);
[[nodiscard]] Ranges ranges_from_json(std::string_view text);

}  // namespace plume::unet
