// The drawn western United States: land, sea and clouds as reflectances, smoke and fires over them.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "data/synth/fractal_noise.hpp"
#include "data/synth/smoke_field.hpp"

namespace plume::data::synth {

inline constexpr int drawn_bands = 6;  // ABI C01..C06

// Reflectance at the top of the atmosphere in C01 .. C06 (0.47, 0.64, 0.86, 1.38, 1.6 and 2.25 um).
using Spectrum = std::array<float, drawn_bands>;

// Web-mercator tiles of zoom 7, the unit of all places here: x to the east, y to the south.
inline constexpr int zoom_tiles = 128;
[[nodiscard]] double latitude_of(double tile_y);   // degrees
[[nodiscard]] double longitude_of(double tile_x);  // degrees
[[nodiscard]] double tile_y_of(double latitude);
[[nodiscard]] double tile_x_of(double longitude);

class World {
 public:
  // Scene `index` of a seed. Places below are counted from (column, row), which should lie near the scene.
  World(std::uint64_t seed, int index, int column, int row);

  // Above 0: land. The coast runs from Puget Sound to Los Angeles and on to the south-east.
  [[nodiscard]] float land(float x, float y) const;

  // What the satellite sees at a place, per band, under an overhead sun. depth: of smoke at 0.55 um; glow: reflectance that a
  // fire adds at 2.25 um.
  struct Sight {
    Spectrum reflectance{};
    float temperature = 0;  // at 10.3 um, in K; smoke is transparent there
    float cloud = 0;        // share that clouds hide, 0 .. 1
  };
  [[nodiscard]] Sight look(float x, float y, float depth, float glow) const;

  // Brightness of the scene's light, 0.62 .. 0.92, where no sun is computed.
  [[nodiscard]] float light() const { return light_; }

 private:
  [[nodiscard]] float relief(float x, float y) const;
  [[nodiscard]] Sight ground(float x, float y) const;
  [[nodiscard]] float water_cloud(float x, float y) const;
  [[nodiscard]] float cloud_relief(float x, float y) const;
  [[nodiscard]] float ice_cloud(float x, float y) const;

  int column_, row_;
  FractalNoise relief_, plants_, warp_, cumulus_, cirrus_;
  float light_ = 1;
  float cumulus_cover_ = 0, cirrus_cover_ = 0, cirrus_angle_ = 0, dryness_ = 0;
};

// `count` fires on land within width x height tiles of the world's place, with a wind that they share; where the draw falls on
// the sea the smoke comes from the east instead.
[[nodiscard]] std::vector<SmokeSource> draw_fires(std::uint64_t seed, int index, const World& world, int count,
                                                  float width, float height);

// A fire's own glow at 2.25 um, which shows in the pixel or two that hold it; pixel: edge in tiles.
[[nodiscard]] float fire_glow(const std::vector<SmokeSource>& fires, float x, float y, float pixel);

}  // namespace plume::data::synth
