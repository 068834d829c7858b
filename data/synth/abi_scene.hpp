// A drawn mesoscale sector as ABI sees it: radiances by band, on the satellite's fixed grid, with the smoke that is in it.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "data/abi/file_name.hpp"
#include "data/geo/geostationary.hpp"
#include "data/synth/smoke_field.hpp"

namespace plume::data::synth {

// What sets one ABI band of GOES-17 apart. Source: the headers of its files of October 2019.
struct AbiBand {
  int band;
  float wavelength;  // um
  int step;          // of the fixed grid, in microradians: 14, 28 or 56 (0.5, 1 or 2 km at nadir)
  int bits;          // of a count; the greatest count stands for no value
  float scale;       // radiance = count * scale + offset
  float offset;
  float greatest;  // radiance
  float esun;                    // W m-2 um-1; 0 of emissive bands
  float kappa0;                  // reflectance factor = radiance * kappa0; 0 of emissive bands
  std::array<double, 4> planck;  // fk1, fk2, bc1, bc2; zeros of reflective bands
};

inline constexpr int cells_per_tile = 256;  // of the smoke's grid, as fine as 1 km
inline constexpr int sector_width = 28000;  // microradians each way: 1000 km at nadir

[[nodiscard]] inline int size_of(const AbiBand& band) {
  return sector_width / band.step;
}

// GOES-17, over 137 degrees west.
[[nodiscard]] geo::Geostationary goes_west();

// C01 .. C07 and C13.
[[nodiscard]] std::span<const AbiBand> drawn_abi_bands();

struct AbiScene {
  abi::Time start;
  int west = 0;  // scan angles of the sector's edges in microradians, multiples of 56
  int north = 0;
  int column = 0;  // tile (world.hpp) that the smoke's places are counted from
  int row = 0;
  SmokeField smoke;
  std::vector<std::vector<float>> radiance;  // by drawn_abi_bands(), [size_of(band), size_of(band)]
};

// Scene `index` of a seed: a sector over the western United States on a day of its own, most by day, some with the terminator
// in them. The same arguments give the same scene, whatever the number of threads.
[[nodiscard]] AbiScene draw_abi_scene(std::uint64_t seed, int index, int threads);

}  // namespace plume::data::synth
