// Corners to places, and rings turned the right way round.
#include "unet/inference/placed_polygon.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>

namespace plume::unet {
namespace {

double twice_area(const PlacedRing& ring) {
  double sum = 0;
  for (std::size_t i = 0; i + 1 < ring.x.size(); ++i)
    sum +=
        (ring.x[i] - ring.x[0]) * (ring.y[i + 1] - ring.y[0]) - (ring.x[i + 1] - ring.x[0]) * (ring.y[i] - ring.y[0]);
  return sum;
}

// Moves each longitude by whole turns to within half a turn of the one before it, the first to `near`.
void follow(std::vector<double>& longitudes, double near) {
  for (double& longitude : longitudes) {
    longitude -= 360 * std::round((longitude - near) / 360);
    near = longitude;
  }
}

// Without corners that are no place; closed.
PlacedRing placed(const Ring& ring, const ToLonLat& to_lon_lat) {
  PlacedRing all;
  for (const Corner corner : ring) {
    all.x.push_back(corner.x);
    all.y.push_back(corner.y);
  }
  if (!to_lon_lat) return all;
  to_lon_lat(all.x, all.y);
  PlacedRing found;
  for (std::size_t i = 0; i < all.x.size(); ++i) {
    if (!std::isfinite(all.x[i]) || !std::isfinite(all.y[i])) continue;
    found.x.push_back(all.x[i]);
    found.y.push_back(all.y[i]);
  }
  if (!found.x.empty() && (found.x.front() != found.x.back() || found.y.front() != found.y.back())) {
    found.x.push_back(found.x.front());
    found.y.push_back(found.y.front());
  }
  return found;
}

}  // namespace

ToLonLat to_lon_lat(const data::Georeference& georeference) {
  if (!georeference.keys.longitude_latitude()) return {};
  return [t = georeference.transform](std::span<double> x, std::span<double> y) { data::apply(t, x, y); };
}

std::vector<PlacedRing> placed(const Polygon& polygon, const ToLonLat& to_lon_lat) {
  constexpr std::size_t least_corners = 4;  // three, and the first again
  std::vector<PlacedRing> rings;
  for (const Ring& corners : polygon.rings) {
    PlacedRing ring = placed(corners, to_lon_lat);
    if (ring.x.size() < least_corners) {
      if (rings.empty()) return {};
      continue;
    }
    if (to_lon_lat) follow(ring.x, rings.empty() ? ring.x.front() : rings.front().x.front());
    if ((twice_area(ring) > 0) != rings.empty()) {
      std::reverse(ring.x.begin(), ring.x.end());
      std::reverse(ring.y.begin(), ring.y.end());
    }
    rings.push_back(std::move(ring));
  }
  return rings;
}

}  // namespace plume::unet
