// Puffs of Gaussian profile: each is as old as its place in the plume, the older the wider and the thinner.
#include "data/synthetic_smoke.hpp"

#include <algorithm>
#include <cmath>

#include "data/fractal_noise.hpp"
#include "kernels/base/philox.hpp"

namespace plume::data {
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

void splat(const Puff& puff, int size, std::vector<float>& depth) {
  const auto pixels = static_cast<float>(size);
  const float radius = puff.radius * pixels;
  const auto edge = [&](float centre, float reach) {
    return std::clamp(static_cast<int>(std::floor(centre * pixels + reach)), 0, size);
  };
  const int last_row = edge(puff.y, 3 * radius + 1);
  const int last_column = edge(puff.x, 3 * radius + 1);
  for (int row = edge(puff.y, -3 * radius); row < last_row; ++row) {
    const float dy = (static_cast<float>(row) + 0.5F - puff.y * pixels) / radius;
    for (int column = edge(puff.x, -3 * radius); column < last_column; ++column) {
      const float dx = (static_cast<float>(column) + 0.5F - puff.x * pixels) / radius;
      depth[static_cast<std::size_t>(row * size + column)] += puff.depth * std::exp(-0.5F * (dx * dx + dy * dy));
    }
  }
}

}  // namespace

void add_smoke(std::uint64_t seed, std::uint32_t scene, std::uint32_t number, const SmokeSource& source, int size,
               std::vector<float>& depth) {
  const auto key = scene * 8 + number;
  const FractalNoise stream(seed, wind_purpose, key, 4);
  const FractalNoise filaments(seed, filament_purpose, key, 5, 0.6F);
  Philox draw(seed, puff_purpose, key);
  std::vector<float> mine(depth.size());
  for (int i = 0; i < puff_count; ++i) {
    const float age = (static_cast<float>(i) + draw.uniform()) / puff_count;
    splat(drift(source, stream, age, draw), size, mine);
  }
  // Fine structure, drawn out along the wind.
  const float speed = std::max(1e-3F, std::hypot(source.wind_x, source.wind_y));
  const float along_x = source.wind_x / speed;
  const float along_y = source.wind_y / speed;
  for (int row = 0; row < size; ++row) {
    for (int column = 0; column < size; ++column) {
      const float x = static_cast<float>(column) / static_cast<float>(size);
      const float y = static_cast<float>(row) / static_cast<float>(size);
      const float along = x * along_x + y * along_y;
      const float across = y * along_x - x * along_y;
      const float texture = 1 + 0.55F * filaments(5 * along + 16, 14 * across + 32);
      const auto pixel = static_cast<std::size_t>(row * size + column);
      depth[pixel] += mine[pixel] * std::max(0.15F, texture);
    }
  }
}

}  // namespace plume::data
