// Small networks, for tests of what holds for every network.
#pragma once

#include <ostream>
#include <vector>

#include "unet/families.hpp"

namespace plume::tests {

// A small network of each family.
struct SmallNetwork {
  const char* name;
  unet::ModelSettings settings;
};

inline std::ostream& operator<<(std::ostream& stream, const SmallNetwork& which) {
  return stream << which.name;
}

inline const std::vector<SmallNetwork> small_networks{
    {"transposed", {unet::Family::classic, 3, 1, 4, 2, unet::Up::transposed, 32}},
    {"bilinear", {unet::Family::classic, 3, 1, 4, 2, unet::Up::bilinear, 32}},
    {"deep", {unet::Family::classic, 3, 1, 4, 3, unet::Up::bilinear, 32}},
    {"classes", {unet::Family::classic, 3, 3, 4, 1, unet::Up::transposed, 32}},
    {"pixel_detector", {unet::Family::pixel_detector, 3, 1, 6, 2, unet::Up::transposed, 8}}};

}  // namespace plume::tests
