// A smoke plume drawn as puffs that leave a fire, drift with a turbulent wind and spread.
#pragma once

#include <cstdint>
#include <vector>

namespace plume::data {

struct SmokeSource {
  float x = 0;  // in tile widths, may lie outside 0 .. 1
  float y = 0;
  float wind_x = 0;  // drift over the plume's whole age, in tile widths
  float wind_y = 0;
  float strength = 1;  // optical depth at 0.55 um near the source, about
};

// Adds the source's optical depth at 0.55 um to depth [size, size].
void add_smoke(std::uint64_t seed, std::uint32_t scene, std::uint32_t number, const SmokeSource& source, int size,
               std::vector<float>& depth);

}  // namespace plume::data
