// Smooth random fields: gradient noise summed over octaves.
// Source: Perlin, "Improving noise", SIGGRAPH 2002 (quintic fade); gradients are Philox draws.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "kernels/base/philox.hpp"

namespace plume::data::synth {

// A field over the plane, of roughly unit amplitude and mean 0; x and y in units of the coarsest cell.
class FractalNoise {
 public:
  FractalNoise(std::uint64_t seed, std::uint32_t purpose, std::uint32_t scene, int octaves, float persistence = 0.5F)
      : octaves_(octaves), persistence_(persistence), gradients_(static_cast<std::size_t>(octaves) * cells * cells) {
    Philox draw(seed, purpose, scene);
    for (auto& gradient : gradients_) {
      const float angle = 6.2831853F * draw.uniform();
      gradient = {std::cos(angle), std::sin(angle)};
    }
  }

  [[nodiscard]] float operator()(float x, float y) const {
    float sum = 0;
    float amplitude = 1.4F;  // single gradient noise stays within about 0.7
    for (int octave = 0; octave < octaves_; ++octave) {
      sum += amplitude * single(octave, x, y);
      amplitude *= persistence_;
      x *= 2;
      y *= 2;
    }
    return sum;
  }

 private:
  static constexpr std::size_t cells = 64;  // the field repeats after so many cells; no scene is that wide

  struct Gradient {
    float x, y;
  };

  [[nodiscard]] float corner(int octave, int column, int row, float dx, float dy) const {
    const auto wrap = [](int cell) { return static_cast<std::size_t>(cell) % cells; };
    const auto& gradient = gradients_[(static_cast<std::size_t>(octave) * cells + wrap(row)) * cells + wrap(column)];
    return gradient.x * dx + gradient.y * dy;
  }

  [[nodiscard]] float single(int octave, float x, float y) const {
    const auto fade = [](float t) { return t * t * t * (t * (t * 6 - 15) + 10); };
    const auto mix = [](float a, float b, float t) { return a + t * (b - a); };
    const int column = static_cast<int>(std::floor(x));
    const int row = static_cast<int>(std::floor(y));
    const float dx = x - std::floor(x);
    const float dy = y - std::floor(y);
    return mix(
        mix(corner(octave, column, row, dx, dy), corner(octave, column + 1, row, dx - 1, dy), fade(dx)),
        mix(corner(octave, column, row + 1, dx, dy - 1), corner(octave, column + 1, row + 1, dx - 1, dy - 1), fade(dx)),
        fade(dy));
  }

  int octaves_;
  float persistence_;
  std::vector<Gradient> gradients_;
};

}  // namespace plume::data::synth
