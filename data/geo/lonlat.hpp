// A place on Earth.
#pragma once

namespace plume::data::geo {

struct LonLat {
  double longitude = 0;  // degrees east
  double latitude = 0;   // degrees north, geodetic
};

}  // namespace plume::data::geo
