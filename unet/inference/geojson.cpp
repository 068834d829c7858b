// Writes what polygons are, ring by ring.
#include "unet/inference/geojson.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <iterator>
#include <utility>

namespace plume::unet {
namespace {

struct Coordinates {
  std::vector<double> x;
  std::vector<double> y;
};

double twice_area(const Coordinates& ring) {
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
Coordinates placed(const Ring& ring, const ToLonLat& to_lon_lat) {
  Coordinates all;
  for (const Corner corner : ring) {
    all.x.push_back(corner.x);
    all.y.push_back(corner.y);
  }
  if (!to_lon_lat) return all;
  to_lon_lat(all.x, all.y);
  Coordinates found;
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

using Text = fmt::memory_buffer;

void write_ring(Text& text, Coordinates ring, bool counter_clockwise, bool degrees) {
  if ((twice_area(ring) > 0) != counter_clockwise) {
    std::reverse(ring.x.begin(), ring.x.end());
    std::reverse(ring.y.begin(), ring.y.end());
  }
  text.push_back('[');
  const int digits = degrees ? 7 : 0;  // of degrees to a centimetre
  for (std::size_t i = 0; i < ring.x.size(); ++i) {
    fmt::format_to(std::back_inserter(text), "{}[{:.{}f},{:.{}f}]", i == 0 ? "" : ",", ring.x[i], digits, ring.y[i],
                   digits);
  }
  text.push_back(']');
}

// Nothing, and false, where the outline has no place.
bool write_rings(Text& text, const Polygon& polygon, const ToLonLat& to_lon_lat) {
  constexpr std::size_t least_corners = 4;  // three, and the first again
  double near = 0;
  for (std::size_t r = 0; r < polygon.rings.size(); ++r) {
    Coordinates ring = placed(polygon.rings[r], to_lon_lat);
    if (ring.x.size() < least_corners) {
      if (r == 0) return false;
      continue;
    }
    if (r == 0) near = ring.x.front();
    if (to_lon_lat) follow(ring.x, near);
    if (r > 0) text.push_back(',');
    write_ring(text, std::move(ring), r == 0, static_cast<bool>(to_lon_lat));
  }
  return true;
}

}  // namespace

ToLonLat to_lon_lat(const data::Georeference& georeference) {
  if (!georeference.keys.longitude_latitude()) return {};
  return [t = georeference.transform](std::span<double> x, std::span<double> y) { data::apply(t, x, y); };
}

std::string to_geojson(const std::vector<Polygon>& polygons, const ToLonLat& to_lon_lat) {
  Text text;
  const auto append = [&](std::string_view part) { text.append(part.data(), part.data() + part.size()); };
  append(R"({"type":"FeatureCollection",)");
  append(to_lon_lat ? R"("coordinates":"degrees of longitude and latitude, WGS 84",)"
                    : R"("coordinates":"pixels: column and row of corners, from the upper left",)");
  append(R"("features":[)");
  bool first = true;
  for (const Polygon& polygon : polygons) {
    Text rings;
    if (!write_rings(rings, polygon, to_lon_lat)) continue;
    append(first ? "\n" : ",\n");
    first = false;
    append(R"({"type":"Feature","geometry":{"type":"Polygon","coordinates":[)");
    text.append(rings.begin(), rings.end());
    fmt::format_to(
        std::back_inserter(text),
        R"(]}},"properties":{{"class":{},"area_pixels":{},"mean_probability":{:.6g},"max_probability":{:.6g}}}}})",
        polygon.label, polygon.area, polygon.mean_probability, polygon.max_probability);
  }
  append("\n]}\n");
  return fmt::to_string(text);
}

}  // namespace plume::unet
