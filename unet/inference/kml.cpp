// A placemark for each polygon.
#include "unet/inference/kml.hpp"

#include <fmt/format.h>

#include <cmath>
#include <cstddef>
#include <iterator>
#include <string_view>

namespace plume::unet {
namespace {

using Text = fmt::memory_buffer;

void write_boundary(Text& text, std::string_view name, const PlacedRing& ring) {
  const auto to = std::back_inserter(text);
  fmt::format_to(to, "<{}><LinearRing><coordinates>", name);
  for (std::size_t i = 0; i < ring.x.size(); ++i)
    fmt::format_to(to, "{}{:.7f},{:.7f}", i == 0 ? "" : " ", std::remainder(ring.x[i], 360.0), ring.y[i]);
  fmt::format_to(to, "</coordinates></LinearRing></{}>", name);
}

}  // namespace

std::string to_kml(const std::vector<Polygon>& polygons, const ToLonLat& to_lon_lat) {
  Text text;
  const auto to = std::back_inserter(text);
  // Colours are aabbggrr: the orange of overlays, filled lightly.
  fmt::format_to(to,
                 "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                 "<kml xmlns=\"http://www.opengis.net/kml/2.2\"><Document>\n"
                 "<Style id=\"found\"><LineStyle><color>ff0d59e6</color><width>2</width></LineStyle>"
                 "<PolyStyle><color>660d59e6</color></PolyStyle></Style>\n");
  for (const Polygon& polygon : polygons) {
    const auto rings = placed(polygon, to_lon_lat);
    if (rings.empty()) continue;
    fmt::format_to(to, "<Placemark><name>class {}, probability {:.2f}</name><styleUrl>#found</styleUrl><ExtendedData>",
                   polygon.label, polygon.mean_probability);
    const auto data = [&](std::string_view name, const auto& value) {
      fmt::format_to(to, "<Data name=\"{}\"><value>{}</value></Data>", name, value);
    };
    data("class", polygon.label);
    data("area_pixels", polygon.area);
    data("mean_probability", polygon.mean_probability);
    data("max_probability", polygon.max_probability);
    fmt::format_to(to, "</ExtendedData><Polygon>");
    for (const PlacedRing& ring : rings)
      write_boundary(text, &ring == &rings.front() ? "outerBoundaryIs" : "innerBoundaryIs", ring);
    fmt::format_to(to, "</Polygon></Placemark>\n");
  }
  fmt::format_to(to, "</Document></kml>\n");
  return fmt::to_string(text);
}

}  // namespace plume::unet
