// Boxes, turns around the Earth, and inside or outside.
#include "data/hms/rings.hpp"

#include <algorithm>
#include <cmath>

namespace plume::data {
namespace {

bool on_earth(LonLat point) {
  return std::abs(point.lon) <= 360 && std::abs(point.lat) <= 90;  // false for NaN
}

double turns(double degrees) {
  return 360 * std::round(degrees / 360);
}

bool crosses(LonLat a, LonLat b, LonLat point) {
  if ((a.lat > point.lat) == (b.lat > point.lat)) return false;
  return point.lon < a.lon + (point.lat - a.lat) / (b.lat - a.lat) * (b.lon - a.lon);
}

}  // namespace

void LonLatBox::add(LonLat point) {
  least = {std::min(least.lon, point.lon), std::min(least.lat, point.lat)};
  most = {std::max(most.lon, point.lon), std::max(most.lat, point.lat)};
}

bool LonLatBox::holds(LonLat point) const {
  return point.lon >= least.lon && point.lon <= most.lon && point.lat >= least.lat && point.lat <= most.lat;
}

bool LonLatBox::meets(const LonLatBox& other) const {
  return least.lon <= other.most.lon && other.least.lon <= most.lon && least.lat <= other.most.lat &&
         other.least.lat <= most.lat;
}

LonLatBox box_of(const std::vector<Ring>& part) {
  LonLatBox box;
  for (const auto& ring : part) {
    for (const auto point : ring) box.add(point);
  }
  return box;
}

std::optional<std::string_view> make_continuous(std::vector<Ring>& part) {
  for (auto& ring : part) {
    if (ring.empty() || !std::all_of(ring.begin(), ring.end(), on_earth))
      return "has a coordinate that is no place on Earth";
    for (std::size_t i = 1; i < ring.size(); ++i) ring[i].lon -= turns(ring[i].lon - ring[i - 1].lon);
    if (std::abs(ring.back().lon - ring.front().lon) > 180) return "leads round a pole, which no smoke here does";
    const double shift = turns(ring.front().lon - part.front().front().lon);
    for (auto& point : ring) point.lon -= shift;
  }
  return std::nullopt;
}

bool inside(const std::vector<Ring>& part, LonLat point) {
  bool odd = false;
  for (const auto& ring : part) {
    for (std::size_t i = 0; i < ring.size(); ++i) odd ^= crosses(ring[i], ring[(i + 1) % ring.size()], point);
  }
  return odd;
}

}  // namespace plume::data
