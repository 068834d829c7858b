// What a granule holds, in a few numbers.
#pragma once

#include <cstdint>

#include "data/abi/granule.hpp"

namespace plume::data::abi {

struct Summary {
  std::int64_t pixels = 0;
  std::int64_t measured = 0;
  // Of the measured pixels; all 0 where there is none.
  float least = 0;
  float most = 0;
  double mean = 0;
  geo::LonLat place_of_most{0, 0};  // of the first such pixel's centre
  std::int64_t fires = 0;           // in a fire mask: pixels of a category of fire
};

// Whether a category of FDC's mask is a fire: 10 to 15, or seen again within hours, 30 to 35.
[[nodiscard]] bool is_fire(float category);

// Reads the whole image. Throws as Granule::read.
[[nodiscard]] Summary summarize(const Granule& granule);

}  // namespace plume::data::abi
