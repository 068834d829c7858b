// Puffs of Gaussian profile: each is as old as its place in the plume, the older the wider and the thinner.
#include "data/synth/smoke_field.hpp"

#include <algorithm>
#include <cmath>

#include "data/synth/fractal_noise.hpp"
#include "kernels/base/philox.hpp"

namespace plume::data::synth {
namespace {

constexpr std::uint32_t puff_purpose = 0x70756666;
constexpr std::uint32_t wind_purpose = 0x77696E64;
constexpr std::uint32_t filament_purpose = 0x66696C61;
constexpr int puff_count = 700;
constexpr int drift_steps = 40;

struct Puff {
  float x, y;    // in tile widths
  float radius;  // standard deviation, in tile widths
  float depth;   // optical depth at its centre
};

// Follows one puff through the wind: the mean drift plus eddies from the curl of a noise field, which neither pile
// smoke up nor thin it out.
Puff drift(const SmokeSource& source, const FractalNoise& stream, float age, Philox& draw) {
  const float speed = std::hypot(source.wind_x, source.wind_y);
  const float eddies = 0.10F * speed;
  Puff puff{source.x + 0.004F * draw.normal(), source.y + 0.004F * draw.normal(), 0, 0};
  const int steps = std::max(1, static_cast<int>(std::lround(age * drift_steps)));
  const float time = age / static_cast<float>(steps);
  constexpr float gap = 0.02F;
  for (int step = 0; step < steps; ++step) {
    const float x = 2.2F * puff.x + 8;
    const float y = 2.2F * puff.y + 8;
    const float curl_x = (stream(x, y + gap) - stream(x, y - gap)) / (2 * gap);
    const float curl_y = -(stream(x + gap, y) - stream(x - gap, y)) / (2 * gap);
    puff.x += time * (source.wind_x + eddies * curl_x);
    puff.y += time * (source.wind_y + eddies * curl_y);
  }
  puff.radius = 0.006F + 0.055F * std::pow(age, 0.8F);
  puff.x += 0.45F * puff.radius * draw.normal();
  puff.y += 0.45F * puff.radius * draw.normal();
  // A puff's smoke is kept while it spreads, and settles slowly.
  puff.depth = source.strength * 0.06F * std::exp(-1.1F * age) * std::pow(0.012F / puff.radius, 0.75F);
  return puff;
}

// Cells [first, last) of a row or column that a puff reaches.
struct Reach {
  int first, last;
};
Reach reach(float centre, float radius, int cells) {
  const auto edge = [&](float place) { return std::clamp(static_cast<int>(std::floor(place)), 0, cells); };
  return {edge(centre - 3 * radius), edge(centre + 3 * radius + 1)};
}

// One plume's own depth, and the part of the grid that it touches.
struct Plume {
  std::vector<float> depth;
  Reach rows{0, 0}, columns{0, 0};
};

void widen(Reach& all, const Reach& more) {
  if (more.first >= more.last) return;
  all = all.first >= all.last ? more : Reach{std::min(all.first, more.first), std::max(all.last, more.last)};
}

}  // namespace

void SmokeField::add(std::uint64_t seed, int scene, int number, const SmokeSource& source) {
  const auto key = static_cast<std::uint32_t>(scene) * 64 + static_cast<std::uint32_t>(number);
  const FractalNoise stream(seed, wind_purpose, key, 4);
  const FractalNoise filaments(seed, filament_purpose, key, 5, 0.6F);
  Philox draw(seed, puff_purpose, key);
  Plume plume{std::vector<float>(depth_.size())};
  for (int i = 0; i < puff_count; ++i) {
    const float age = (static_cast<float>(i) + draw.uniform()) / puff_count;
    const Puff puff = drift(source, stream, age, draw);
    const float radius = puff.radius * per_tile_;
    const Reach rows = reach(puff.y * per_tile_, radius, rows_);
    const Reach columns = reach(puff.x * per_tile_, radius, columns_);
    for (int row = rows.first; row < rows.last; ++row) {
      const float dy = (static_cast<float>(row) + 0.5F - puff.y * per_tile_) / radius;
      for (int column = columns.first; column < columns.last; ++column) {
        const float dx = (static_cast<float>(column) + 0.5F - puff.x * per_tile_) / radius;
        plume.depth[static_cast<std::size_t>(row * columns_ + column)] +=
            puff.depth * std::exp(-0.5F * (dx * dx + dy * dy));
      }
    }
    widen(plume.rows, rows);
    widen(plume.columns, columns);
  }
  // Fine structure, drawn out along the wind.
  const float speed = std::max(1e-3F, std::hypot(source.wind_x, source.wind_y));
  const float along_x = source.wind_x / speed;
  const float along_y = source.wind_y / speed;
  for (int row = plume.rows.first; row < plume.rows.last; ++row) {
    for (int column = plume.columns.first; column < plume.columns.last; ++column) {
      const auto cell = static_cast<std::size_t>(row * columns_ + column);
      if (plume.depth[cell] == 0) continue;
      const float x = static_cast<float>(column) / per_tile_;
      const float y = static_cast<float>(row) / per_tile_;
      const float along = x * along_x + y * along_y;
      const float across = y * along_x - x * along_y;
      const float texture = 1 + 0.55F * filaments(5 * along + 16, 14 * across + 32);
      depth_[cell] += plume.depth[cell] * std::max(0.15F, texture);
    }
  }
}

float SmokeField::at(float x, float y) const {
  const float u = std::clamp(x * per_tile_ - 0.5F, 0.0F, static_cast<float>(columns_ - 1));
  const float v = std::clamp(y * per_tile_ - 0.5F, 0.0F, static_cast<float>(rows_ - 1));
  const int column = std::min(static_cast<int>(u), columns_ - 2);
  const int row = std::min(static_cast<int>(v), rows_ - 2);
  const float right = u - static_cast<float>(column);
  const float down = v - static_cast<float>(row);
  const float* top = &depth_[static_cast<std::size_t>(row * columns_ + column)];
  const float* bottom = top + columns_;
  return (top[0] * (1 - right) + top[1] * right) * (1 - down) + (bottom[0] * (1 - right) + bottom[1] * right) * down;
}

}  // namespace plume::data::synth
