// The world is looked at on the 1 km grid; 0.5 km is interpolated from it and 2 km is its mean, as the instrument's own
// bands of those sizes would see it.
#include "data/synth/abi_scene.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <thread>

#include "data/geo/sun.hpp"
#include "data/synth/world.hpp"
#include "kernels/base/philox.hpp"

namespace plume::data::synth {
namespace {

constexpr std::array<AbiBand, 8> bands{{
    {1, 0.47F, 28, 10, 0.8121064F, -25.93665F, 804.036072F, 2041.687F, 0.0015198F, {}},
    {2, 0.64F, 14, 12, 0.1585924F, -20.28991F, 628.987244F, 1628.080F, 0.0018764F, {}},
    {3, 0.87F, 28, 10, 0.3769125F, -12.03764F, 373.166962F, 955.5531F, 0.0032474F, {}},
    {4, 1.38F, 56, 11, 0.07073108F, -4.522368F, 140.19342F, 361.5188F, 0.0084502F, {}},
    {5, 1.61F, 28, 10, 0.09580004F, -3.059614F, 94.8480301F, 242.6440F, 0.0127884F, {}},
    {6, 2.25F, 56, 10, 0.03008847F, -0.9609507F, 29.7894707F, 77.00672F, 0.0402957F, {}},
    {7, 3.89F, 56, 14, 0.001564351F, -0.0376F, 25.5895996F, 0, 0, {203135, 3703.5, 0.44554, 0.99938}},
    {13, 10.33F, 56, 12, 0.04572892F, -1.6443F, 185.569901F, 0, 0, {10835.6, 1394.12, 0.07786, 0.99974}},
}};

constexpr int middle_step = 28;  // microradians
constexpr int middle_size = sector_width / middle_step;

// Purposes of the seed's draws.
constexpr std::uint32_t sector_purpose = 0x73656374;
constexpr std::uint32_t noise_purpose = 0x6E6F6973;

using Plane = std::vector<float>;

template <class Body>
void for_rows(int rows, int threads, const Body& body) {
  std::vector<std::jthread> workers;
  for (int worker = 0; worker < threads; ++worker) {
    workers.emplace_back([=, &body] {
      for (int row = worker; row < rows; row += threads) body(row);
    });
  }
}

std::size_t cell(int row, int column, int size) {
  return static_cast<std::size_t>(row) * static_cast<std::size_t>(size) + static_cast<std::size_t>(column);
}

// Where the pixels of the 1 km grid lie, from the scene's tile, and how high the sun stands there.
struct Places {
  Plane x, y;
  Plane sun;  // cosine of the zenith angle, 0 at night
};

abi::Time draw_start(Philox& draw, int index) {
  using namespace std::chrono;
  const sys_days day = sys_days(year{2021} / July / 1) + days(index);
  // Five of six between 9 and 16 o'clock by the sun, the others when it goes down.
  const float hour = draw.uniform() < 0.83F ? 17 + 7 * draw.uniform() : 25.5F + 1.5F * draw.uniform();
  return day + minutes(static_cast<int>(hour * 60)) + abi::Time::duration(275);
}

// Also sets the tile that places are counted from.
Places places_of(AbiScene& scene, int threads) {
  Places places{Plane(cell(middle_size, 0, middle_size)), Plane(cell(middle_size, 0, middle_size)),
                Plane(cell(middle_size, 0, middle_size))};
  const geo::Geostationary satellite = goes_west();
  const geo::Sun sun(scene.start);
  const auto at = [&](int row, int column) {
    return satellite.place(
        {1e-6 * (scene.west + (column + 0.5) * middle_step), 1e-6 * (scene.north - (row + 0.5) * middle_step)});
  };
  scene.column = static_cast<int>(tile_x_of(std::min(at(0, 0).longitude, at(middle_size - 1, 0).longitude)));
  scene.row = static_cast<int>(tile_y_of(std::max(at(0, 0).latitude, at(0, middle_size - 1).latitude)));
  for_rows(middle_size, threads, [&](int row) {
    for (int column = 0; column < middle_size; ++column) {
      const auto place = at(row, column);
      const std::size_t i = cell(row, column, middle_size);
      places.x[i] = static_cast<float>(tile_x_of(place.longitude) - scene.column);
      places.y[i] = static_cast<float>(tile_y_of(place.latitude) - scene.row);
      places.sun[i] = static_cast<float>(std::max(0.0, sun.cosine_of_zenith(place)));
    }
  });
  return places;
}

Plane as_seen(const Plane& middle, int step) {
  if (step == middle_step) return middle;
  const int size = sector_width / step;
  Plane plane(cell(size, 0, size));
  for (int row = 0; row < size; ++row) {
    for (int column = 0; column < size; ++column) {
      float& to = plane[cell(row, column, size)];
      if (step > middle_step) {
        const float* top = &middle[cell(2 * row, 2 * column, middle_size)];
        to = (top[0] + top[1] + top[middle_size] + top[middle_size + 1]) / 4;
        continue;
      }
      const auto neighbours = [](int fine) {
        const int near = fine / 2;
        return std::pair(near, std::clamp(near + (fine % 2 == 0 ? -1 : 1), 0, middle_size - 1));
      };
      const auto [y, y_far] = neighbours(row);
      const auto [x, x_far] = neighbours(column);
      const auto at = [&](int r, int c) { return middle[cell(r, c, middle_size)]; };
      to = (9 * at(y, x) + 3 * at(y, x_far) + 3 * at(y_far, x) + at(y_far, x_far)) / 16;
    }
  }
  return plane;
}

float planck(const AbiBand& band, float temperature) {
  const auto& [fk1, fk2, bc1, bc2] = band.planck;
  return static_cast<float>(fk1 / std::expm1(fk2 / (bc1 + bc2 * static_cast<double>(temperature))));
}

// What one band measures: the world's plane for it on the band's grid, as radiance with the detector's noise.
Plane measure(const AbiBand& band, const Plane& middle, std::uint64_t seed, int index) {
  Plane plane = as_seen(middle, band.step);
  Philox draw(seed, noise_purpose, static_cast<std::uint32_t>(index), static_cast<std::uint32_t>(band.band));
  for (float& value : plane) {
    if (band.kappa0 > 0) {
      value = (value + 0.001F * draw.normal()) / band.kappa0;
    } else {
      value = planck(band, value + 0.1F * draw.normal());
    }
  }
  return plane;
}

}  // namespace

geo::Geostationary goes_west() {
  return {.longitude_of_origin = -137};
}

std::span<const AbiBand> drawn_abi_bands() {
  return bands;
}

AbiScene draw_abi_scene(std::uint64_t seed, int index, int threads) {
  Philox draw(seed, sector_purpose, static_cast<std::uint32_t>(index));
  AbiScene scene{.start = draw_start(draw, index), .smoke = SmokeField(2, 2, 1), .radiance = {}};
  // Around the sector that watched California in October 2019.
  scene.west = 56 * (360 + static_cast<int>(draw.below(160)));
  scene.north = 56 * (1980 + static_cast<int>(draw.below(160)));
  const int fires = 2 + static_cast<int>(draw.below(10));
  const Places places = places_of(scene, threads);
  const float width = *std::max_element(places.x.begin(), places.x.end());
  const float height = *std::max_element(places.y.begin(), places.y.end());
  const World world(seed, index, scene.column, scene.row);
  const auto sources = draw_fires(seed, index, world, fires, width, height);
  scene.smoke = SmokeField(static_cast<int>(width * cells_per_tile) + 2, static_cast<int>(height * cells_per_tile) + 2,
                           cells_per_tile);
  for (std::size_t i = 0; i < sources.size(); ++i) scene.smoke.add(seed, index, static_cast<int>(i), sources[i]);

  // Reflectance factors of C01 .. C06, then temperatures at 3.9 and 10.3 um.
  std::array<Plane, bands.size()> seen;
  for (Plane& plane : seen) plane.resize(places.x.size());
  for_rows(middle_size, threads, [&](int row) {
    for (std::size_t i = cell(row, 0, middle_size); i < cell(row + 1, 0, middle_size); ++i) {
      const float glow = fire_glow(sources, places.x[i], places.y[i], 1.0F / cells_per_tile);
      const World::Sight sight = world.look(places.x[i], places.y[i], scene.smoke.at(places.x[i], places.y[i]), glow);
      for (std::size_t band = 0; band < sight.reflectance.size(); ++band)
        seen[band][i] = places.sun[i] * sight.reflectance[band];
      // By day some sunlight comes back at 3.9 um; a fire fills a part of its pixel with 800 K.
      seen[6][i] = sight.temperature + 12 * places.sun[i] * sight.reflectance[5] + 300 * glow * (1 - sight.cloud);
      seen[7][i] = sight.temperature;
    }
  });
  scene.radiance.resize(bands.size());
  for_rows(static_cast<int>(bands.size()), threads, [&](int band) {
    const auto b = static_cast<std::size_t>(band);
    scene.radiance[b] = measure(bands[b], seen[b], seed, index);
  });
  return scene;
}

}  // namespace plume::data::synth
