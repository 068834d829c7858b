// Small ABI L1b files for the tests of reading them, whole or with something wrong.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "data/geo/geostationary.hpp"

namespace plume::tests {

struct SmallGranule {
  int channel = 1;
  std::string image = "Rad";  // name of the variable
  std::string platform = "G17";
  // Pixels of 1 km about the point below a satellite at 137 degrees west.
  data::geo::FixedGrid grid{.projection = {.longitude_of_origin = -137},
                            .x = {.first = -98e-6, .step = 28e-6, .count = 8},
                            .y = {.first = 70e-6, .step = -28e-6, .count = 6}};
  std::vector<std::uint16_t> pixels{};  // as stored; empty: 100, 101, ...
  std::vector<std::uint8_t> flags{};    // DQF; empty: all good
  std::uint16_t fill = 1023;
  // scale_factor and add_offset of the image, so that 100, 101, ... are radiances of the day.
  float scale = 0.8F;
  float offset = -25;
  std::map<std::string, float> scalars{{"kappa0", 0.0015F},
                                       {"planck_fk1", 202263.0F},
                                       {"planck_fk2", 3698.19F},
                                       {"planck_bc1", 0.43361F},
                                       {"planck_bc2", 0.99939F}};
  std::set<std::string> without{};  // "VARIABLE", "VARIABLE:ATTRIBUTE" or ":ATTRIBUTE" of the file
  std::vector<float> x_angles{};    // where not empty: x as floats, without scale_factor and add_offset
  std::size_t claimed = 0;          // where not 0: height and width that the header claims, no pixel written
};

// "OR_ABI-L1b-RadM1-M6C01_G17_s20193002000275_e20193002000332_c20193002000379.nc" for channel 1.
[[nodiscard]] std::string small_name(int channel, const std::string& start = "20193002000275");

void write_granule(const std::filesystem::path& path, const SmallGranule& granule = {});

}  // namespace plume::tests
