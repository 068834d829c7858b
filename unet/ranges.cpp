// Ranges as JSON text and back.
#include "unet/ranges.hpp"

#include <cmath>
#include <nlohmann/json.hpp>

#include "kernels/base/error.hpp"
#include "nn/strict_json.hpp"

namespace plume::unet {

std::string to_json(const Ranges& ranges) {
  nlohmann::ordered_json object = nlohmann::ordered_json::object();
  for (const auto& [layer, range] : ranges) object[layer] = {range.low, range.high};
  return object.dump();
}

Ranges ranges_from_json(std::string_view text) {
  const nlohmann::json object = nn::parse_strict_json(text);
  if (!object.is_object()) throw input_error("the ranges of its values are not a JSON object");
  Ranges ranges;
  for (const auto& [layer, pair] : object.items()) {
    if (!pair.is_array() || pair.size() != 2 || !pair[0].is_number() || !pair[1].is_number()) {
      throw input_error("the range of {} is not two numbers", layer);
    }
    const Range range{pair[0].get<float>(), pair[1].get<float>()};
    if (!std::isfinite(range.low) || !std::isfinite(range.high) || range.low > range.high) {
      throw input_error("the range of {} goes from {} to {}", layer, range.low, range.high);
    }
    ranges[layer] = range;
  }
  return ranges;
}

}  // namespace plume::unet
