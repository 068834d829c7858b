// Boxes, turns around the Earth, and inside or outside.
#include "data/hms/rings.hpp"

#include <algorithm>
#include <cmath>

namespace plume::data {
namespace {

bool on_earth(geo::LonLat point) {
  return std::abs(point.longitude) <= 360 && std::abs(point.latitude) <= 90;  // false for NaN
}

double turns(double degrees) {
  return 360 * std::round(degrees / 360);
}

bool crosses(geo::LonLat a, geo::LonLat b, geo::LonLat point) {
  if ((a.latitude > point.latitude) == (b.latitude > point.latitude)) return false;
  return point.longitude <
         a.longitude + (point.latitude - a.latitude) / (b.latitude - a.latitude) * (b.longitude - a.longitude);
}

}  // namespace

void LonLatBox::add(geo::LonLat point) {
  least = {std::min(least.longitude, point.longitude), std::min(least.latitude, point.latitude)};
  most = {std::max(most.longitude, point.longitude), std::max(most.latitude, point.latitude)};
}

bool LonLatBox::holds(geo::LonLat point) const {
  return point.longitude >= least.longitude && point.longitude <= most.longitude && point.latitude >= least.latitude &&
         point.latitude <= most.latitude;
}

bool LonLatBox::meets(const LonLatBox& other) const {
  return least.longitude <= other.most.longitude && other.least.longitude <= most.longitude &&
         least.latitude <= other.most.latitude && other.least.latitude <= most.latitude;
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
    for (std::size_t i = 1; i < ring.size(); ++i) ring[i].longitude -= turns(ring[i].longitude - ring[i - 1].longitude);
    if (std::abs(ring.back().longitude - ring.front().longitude) > 180)
      return "leads round a pole, which no smoke here does";
    const double shift = turns(ring.front().longitude - part.front().front().longitude);
    for (auto& point : ring) point.longitude -= shift;
  }
  return std::nullopt;
}

bool inside(const std::vector<Ring>& part, geo::LonLat point) {
  bool odd = false;
  for (const auto& ring : part) {
    for (std::size_t i = 0; i < ring.size(); ++i) odd = odd != crosses(ring[i], ring[(i + 1) % ring.size()], point);
  }
  return odd;
}

}  // namespace plume::data
