// Writes what polygons are, ring by ring.
#include "unet/inference/geojson.hpp"

#include <fmt/format.h>

#include <cstddef>
#include <iterator>
#include <string_view>

namespace plume::unet {
namespace {

using Text = fmt::memory_buffer;

void write_ring(Text& text, const PlacedRing& ring, bool degrees) {
  text.push_back('[');
  const int digits = degrees ? 7 : 0;  // of degrees to a centimetre
  for (std::size_t i = 0; i < ring.x.size(); ++i) {
    fmt::format_to(std::back_inserter(text), "{}[{:.{}f},{:.{}f}]", i == 0 ? "" : ",", ring.x[i], digits, ring.y[i],
                   digits);
  }
  text.push_back(']');
}

}  // namespace

std::string to_geojson(const std::vector<Polygon>& polygons, const ToLonLat& to_lon_lat) {
  Text text;
  const auto append = [&](std::string_view part) { text.append(part.data(), part.data() + part.size()); };
  append(R"({"type":"FeatureCollection",)");
  append(to_lon_lat ? R"("coordinate_system":"degrees of longitude and latitude, WGS 84",)"
                    : R"("coordinate_system":"pixels: column and row of corners, from the upper left",)");
  append(R"("features":[)");
  bool first = true;
  for (const Polygon& polygon : polygons) {
    const auto rings = placed(polygon, to_lon_lat);
    if (rings.empty()) continue;
    append(first ? "\n" : ",\n");
    first = false;
    append(R"({"type":"Feature","geometry":{"type":"Polygon","coordinates":[)");
    for (const PlacedRing& ring : rings) {
      if (&ring != &rings.front()) text.push_back(',');
      write_ring(text, ring, static_cast<bool>(to_lon_lat));
    }
    fmt::format_to(
        std::back_inserter(text),
        R"(]}},"properties":{{"class":{},"area_pixels":{},"mean_probability":{:.6g},"max_probability":{:.6g}}}}})",
        polygon.label, polygon.area, polygon.mean_probability, polygon.max_probability);
  }
  append("\n]}\n");
  return fmt::to_string(text);
}

}  // namespace plume::unet
