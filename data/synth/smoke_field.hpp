// Smoke plumes drawn as puffs that leave a fire, drift with a turbulent wind and spread.
#pragma once

#include <cstdint>
#include <vector>

namespace plume::data::synth {

// Places and lengths in tiles (world.hpp).
struct SmokeSource {
  float x = 0;
  float y = 0;
  float wind_x = 0;  // drift over the plume's whole age
  float wind_y = 0;
  float strength = 1;  // optical depth at 0.55 um near the source, about
};

// Optical depth at 0.55 um on a grid of `per_tile` cells to a tile's edge, from the place where x and y are 0.
class SmokeField {
 public:
  SmokeField(int columns, int rows, int per_tile)
      : columns_(columns),
        rows_(rows),
        per_tile_(static_cast<float>(per_tile)),
        depth_(static_cast<std::size_t>(columns) * static_cast<std::size_t>(rows)) {}

  // Adds the plume of fire `number` (0 .. 63) of a scene.
  void add(std::uint64_t seed, int scene, int number, const SmokeSource& source);

  [[nodiscard]] int columns() const { return columns_; }
  [[nodiscard]] int rows() const { return rows_; }
  [[nodiscard]] const std::vector<float>& depth() const { return depth_; }  // [rows, columns]

  // Between cells, bilinearly; beyond the grid as at its edge.
  [[nodiscard]] float at(float x, float y) const;

 private:
  int columns_, rows_;
  float per_tile_;
  std::vector<float> depth_;
};

}  // namespace plume::data::synth
