// The transform to the projection's coordinates, and GDAL's way from there.
#include "data/geo/places.hpp"

#include <memory>
#include <optional>

#include "data/geo/projection.hpp"

namespace plume::data::geo {

std::function<void(std::span<double> x, std::span<double> y)> places_of(const Georeference& georeference) {
  if (georeference.projection.empty()) return {};
  const auto to_degrees = std::make_shared<std::optional<Transformation>>(to_geographic(georeference.projection));
  return [transform = georeference.transform, to_degrees](std::span<double> x, std::span<double> y) {
    apply(transform, x, y);
    if (*to_degrees) (**to_degrees)(x, y);
  };
}

}  // namespace plume::data::geo
