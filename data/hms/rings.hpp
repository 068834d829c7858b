// The plane geometry of smoke polygons, in degrees of longitude and latitude.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "data/hms/polygons.hpp"

namespace plume::data {

struct LonLatBox {
  geo::LonLat least{360 * 2, 90};
  geo::LonLat most{-360 * 2, -90};

  void add(geo::LonLat point);
  [[nodiscard]] bool holds(geo::LonLat point) const;
  [[nodiscard]] bool meets(const LonLatBox& other) const;
};

[[nodiscard]] LonLatBox box_of(const std::vector<Ring>& part);

// Moves points by whole turns until none is more than half a turn from the one before it, and holes to their outline.
// Returns what is wrong where a coordinate is no place on Earth or a ring leads round a pole.
[[nodiscard]] std::optional<std::string_view> make_continuous(std::vector<Ring>& part);

// The even-odd rule: whether a ray from the point to the east crosses the rings an odd number of times.
[[nodiscard]] bool inside(const std::vector<Ring>& part, geo::LonLat point);

}  // namespace plume::data
