// A world from the ground up: land and sea, smoke over them, clouds over all.
#include "data/synth/world.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "kernels/base/philox.hpp"

namespace plume::data::synth {
namespace {

constexpr Spectrum ocean_spectrum{0.095F, 0.045F, 0.020F, 0.001F, 0.008F, 0.006F};
constexpr Spectrum forest_spectrum{0.085F, 0.045F, 0.190F, 0.001F, 0.100F, 0.045F};
constexpr Spectrum grass_spectrum{0.105F, 0.085F, 0.260F, 0.002F, 0.210F, 0.120F};
constexpr Spectrum desert_spectrum{0.155F, 0.205F, 0.290F, 0.003F, 0.370F, 0.310F};
constexpr Spectrum water_cloud_spectrum{0.640F, 0.640F, 0.660F, 0.030F, 0.520F, 0.380F};
constexpr Spectrum ice_cloud_spectrum{0.560F, 0.560F, 0.580F, 0.420F, 0.270F, 0.220F};
constexpr Spectrum smoke_spectrum{0.330F, 0.285F, 0.270F, 0.010F, 0.200F, 0.150F};
// Optical depth of smoke relative to 0.55 um: its particles are small, so it fades towards the infrared.
constexpr Spectrum smoke_depth{1.25F, 0.80F, 0.50F, 0.02F, 0.08F, 0.03F};

// Purposes of the seed's draws.
constexpr std::uint32_t scene_purpose = 0x7363656E;
constexpr std::uint32_t relief_purpose = 0x72656C69;
constexpr std::uint32_t plants_purpose = 0x706C616E;
constexpr std::uint32_t warp_purpose = 0x77617270;
constexpr std::uint32_t cumulus_purpose = 0x63756D75;
constexpr std::uint32_t cirrus_purpose = 0x63697272;

constexpr double degrees = 180 / std::numbers::pi;

std::uint32_t id(int index) {
  return static_cast<std::uint32_t>(index);
}

float smoothstep(float from, float to, float value) {
  const float t = std::clamp((value - from) / (to - from), 0.0F, 1.0F);
  return t * t * (3 - 2 * t);
}

Spectrum mix(const Spectrum& a, const Spectrum& b, float share) {
  Spectrum mixed{};
  for (std::size_t band = 0; band < mixed.size(); ++band) mixed[band] = a[band] + share * (b[band] - a[band]);
  return mixed;
}

}  // namespace

double latitude_of(double tile_y) {
  return std::atan(std::sinh(std::numbers::pi * (1 - 2 * tile_y / zoom_tiles))) * degrees;
}

double longitude_of(double tile_x) {
  return 360 * tile_x / zoom_tiles - 180;
}

double tile_y_of(double latitude) {
  return (1 - std::asinh(std::tan(latitude / degrees)) / std::numbers::pi) * zoom_tiles / 2;
}

double tile_x_of(double longitude) {
  return (longitude + 180) / 360 * zoom_tiles;
}

World::World(std::uint64_t seed, int index, int column, int row)
    : column_(column),
      row_(row),
      relief_(seed, relief_purpose, id(index), 6, 0.5F),
      plants_(seed, plants_purpose, id(index), 6, 0.55F),
      warp_(seed, warp_purpose, id(index), 4),
      cumulus_(seed, cumulus_purpose, id(index), 7, 0.62F),
      cirrus_(seed, cirrus_purpose, id(index), 6, 0.6F) {
  Philox draw(seed, scene_purpose, id(index));
  light_ = 0.62F + 0.3F * draw.uniform();
  // Half of the scenes are nearly clear, as over the summer's west.
  cumulus_cover_ = draw.uniform() < 0.5F ? -0.75F : -0.45F + 0.55F * draw.uniform();
  cirrus_cover_ = draw.uniform() < 0.6F ? -0.9F : -0.35F + 0.4F * draw.uniform();
  cirrus_angle_ = 3.14F * draw.uniform();
  dryness_ = 0.25F * (draw.uniform() - 0.5F);
}

float World::land(float x, float y) const {
  const float coast = 19.9F + 0.62F * std::max(0.0F, static_cast<float>(row_) + y - 48.2F);
  return static_cast<float>(column_) + x - coast + 0.32F * relief_(2 * x + 9, 2 * y + 9);
}

float World::relief(float x, float y) const {
  return relief_(3 * x + 0.2F * warp_(4 * x, 4 * y), 3 * y + 0.2F * warp_(4 * x + 9, 4 * y + 9));
}

World::Sight World::ground(float x, float y) const {
  const float shore = smoothstep(-0.004F, 0.004F, land(x, y));
  auto sea = ocean_spectrum;
  for (auto& band : sea) band *= 1 + 0.08F * warp_(3 * x, 3 * y);
  constexpr float sea_temperature = 289;
  if (shore <= 0) return {sea, sea_temperature, 0};
  // Relief is lit from the south-west, where the afternoon's sun stands.
  constexpr float gap = 1.0F / 256;
  const float slope = relief(x + gap, y) - relief(x - gap, y) - relief(x, y + gap) + relief(x, y - gap);
  const float shade = std::clamp(1 + 1.5F * slope, 0.65F, 1.35F);
  const float east = 0.35F * (static_cast<float>(column_) + x - 20.5F) / 7;  // where it is drier
  const float dry = dryness_ + east + 0.45F * plants_(3 * x, 3 * y) - 0.25F * relief(x, y);
  auto cover = mix(mix(forest_spectrum, grass_spectrum, smoothstep(-0.35F, 0.1F, dry)), desert_spectrum,
                   smoothstep(0.1F, 0.6F, dry));
  for (auto& band : cover) band *= shade * (1 + 0.12F * plants_(17 * x + 5, 17 * y + 5));
  const float land_temperature = std::clamp(298 + 14 * dry + 8 * (shade - 1), 280.0F, 318.0F);
  return {mix(sea, cover, shore), sea_temperature + shore * (land_temperature - sea_temperature), 0};
}

float World::water_cloud(float x, float y) const {
  const float u = 3 * x + 0.15F * warp_(3 * x, 3 * y);
  const float v = 3 * y + 0.15F * warp_(3 * x + 7, 3 * y + 7);
  return 0.95F * smoothstep(0, 0.9F, cumulus_(u, v) + cumulus_cover_);
}

// Sunlit tops and shaded hollows, about 1.
float World::cloud_relief(float x, float y) const {
  constexpr float gap = 1.5F / 256;
  const float slope = cumulus_(3 * (x + gap), 3 * (y - gap)) - cumulus_(3 * (x - gap), 3 * (y + gap));
  return std::clamp(0.92F + 0.45F * slope + 0.1F * cumulus_(5 * x + 9, 5 * y + 9), 0.65F, 1.2F);
}

float World::ice_cloud(float x, float y) const {
  const float along = x * std::cos(cirrus_angle_) + y * std::sin(cirrus_angle_);
  const float across = y * std::cos(cirrus_angle_) - x * std::sin(cirrus_angle_);
  const float bend = 0.6F * warp_(1.5F * x + 3, 1.5F * y + 3);
  return 0.7F * smoothstep(0, 1.4F, cirrus_(1.2F * along + bend + 20, 5 * across + bend + 20) + cirrus_cover_);
}

World::Sight World::look(float x, float y, float depth, float glow) const {
  Sight sight = ground(x, y);
  Spectrum& spectrum = sight.reflectance;
  spectrum[5] += glow;
  for (std::size_t band = 0; band < spectrum.size(); ++band)
    spectrum[band] += (smoke_spectrum[band] - spectrum[band]) * (1 - std::exp(-depth * smoke_depth[band]));
  const float water = water_cloud(x, y);
  const float ice = ice_cloud(x, y);
  if (water > 0) {
    auto cloud = water_cloud_spectrum;
    const float relief = cloud_relief(x, y);
    for (auto& band : cloud) band *= relief;
    spectrum = mix(spectrum, cloud, water);
  }
  spectrum = mix(spectrum, ice_cloud_spectrum, ice);
  sight.temperature += water * (274 - sight.temperature);
  sight.temperature += ice * (232 - sight.temperature);
  sight.cloud = std::max(water, ice);
  return sight;
}

std::vector<SmokeSource> draw_fires(std::uint64_t seed, int index, const World& world, int count, float width,
                                    float height) {
  Philox draw(seed, scene_purpose, id(index), 2);
  const float heading = 6.2831853F * draw.uniform();
  std::vector<SmokeSource> fires;
  for (int i = 0; i < count; ++i) {
    SmokeSource fire;
    fire.x = (0.15F + 0.7F * draw.uniform()) * width;
    fire.y = (0.15F + 0.7F * draw.uniform()) * height;
    fire.strength = 1.1F + 1.6F * draw.uniform();
    float direction = heading + 0.25F * draw.normal();
    if (world.land(fire.x, fire.y) < 0.02F) {
      fire.x = width + 0.03F;
      direction = 3.1415927F + 0.4F * draw.normal();
    }
    const float reach = 0.5F + 0.6F * draw.uniform();
    fire.wind_x = reach * std::cos(direction);
    fire.wind_y = reach * std::sin(direction);
    fires.push_back(fire);
  }
  return fires;
}

float fire_glow(const std::vector<SmokeSource>& fires, float x, float y, float pixel) {
  float glow = 0;
  for (const auto& fire : fires) {
    const float dx = (x - fire.x) / pixel;
    const float dy = (y - fire.y) / pixel;
    const float square = dx * dx + dy * dy;
    if (square < 32) glow += 0.5F * std::exp(-0.5F * square);
  }
  return glow;
}

}  // namespace plume::data::synth
