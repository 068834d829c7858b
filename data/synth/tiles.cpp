// A scene from the ground up: land and sea, smoke over them, clouds over all, then the sensor's byte scale.
#include "data/synthetic.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "data/fractal_noise.hpp"
#include "data/permutation.hpp"
#include "data/raster_write.hpp"
#include "data/synthetic_smoke.hpp"
#include "kernels/base/error.hpp"
#include "kernels/base/philox.hpp"

namespace plume::data {
namespace {

// Reflectance at the top of the atmosphere in C01 .. C06 (0.47, 0.64, 0.86, 1.38, 1.6 and 2.25 um).
using Spectrum = std::array<float, scene_bands>;
constexpr Spectrum ocean_spectrum{0.095F, 0.045F, 0.020F, 0.001F, 0.008F, 0.006F};
constexpr Spectrum forest_spectrum{0.085F, 0.045F, 0.190F, 0.001F, 0.100F, 0.045F};
constexpr Spectrum grass_spectrum{0.105F, 0.085F, 0.260F, 0.002F, 0.210F, 0.120F};
constexpr Spectrum desert_spectrum{0.155F, 0.205F, 0.290F, 0.003F, 0.370F, 0.310F};
constexpr Spectrum water_cloud_spectrum{0.640F, 0.640F, 0.660F, 0.030F, 0.520F, 0.380F};
constexpr Spectrum ice_cloud_spectrum{0.560F, 0.560F, 0.580F, 0.420F, 0.270F, 0.220F};
constexpr Spectrum smoke_spectrum{0.330F, 0.285F, 0.270F, 0.010F, 0.200F, 0.150F};
// Optical depth of smoke relative to 0.55 um: its particles are small, so it fades towards the infrared.
constexpr Spectrum smoke_depth{1.25F, 0.80F, 0.50F, 0.02F, 0.08F, 0.03F};
constexpr float smoke_threshold = 0.2F;  // optical depth from which an analyst would outline smoke
constexpr float hiding_cover = 0.5F;     // cover from which nothing below can be seen

// Purposes of the seed's draws.
constexpr std::uint32_t place_purpose = 0x01;
constexpr std::uint32_t scene_purpose = 0x7363656E;
constexpr std::uint32_t relief_purpose = 0x72656C69;
constexpr std::uint32_t plants_purpose = 0x706C616E;
constexpr std::uint32_t warp_purpose = 0x77617270;
constexpr std::uint32_t cumulus_purpose = 0x63756D75;
constexpr std::uint32_t cirrus_purpose = 0x63697272;
constexpr std::uint32_t detector_purpose = 0x64657465;

// Web-mercator tiles of zoom 7, as the real ones: x 16 .. 27 and y 43 .. 54 are the Pacific and the western states.
constexpr int zoom_tiles = 128;
constexpr int first_column = 16;
constexpr int first_row = 43;
constexpr int grid = 12;

constexpr const char* wgs84 =
    R"(GEOGCS["WGS 84",DATUM["WGS_1984",SPHEROID["WGS 84",6378137,298.257223563,AUTHORITY["EPSG","7030"]],)"
    R"(AUTHORITY["EPSG","6326"]],PRIMEM["Greenwich",0,AUTHORITY["EPSG","8901"]],)"
    R"(UNIT["degree",0.0174532925199433,AUTHORITY["EPSG","9122"]],AXIS["Latitude",NORTH],AXIS["Longitude",EAST],)"
    R"(AUTHORITY["EPSG","4326"]])";

struct TilePlace {
  int column = 0;
  int row = 0;
};

TilePlace place_of(std::uint64_t seed, int index) {
  const auto places = static_cast<std::uint32_t>(grid * grid);
  const auto number = static_cast<std::uint32_t>(index);
  const auto place = static_cast<int>(Permutation(seed, place_purpose, number / places, places)(number % places));
  return {first_column + place % grid, first_row + place / grid};
}

double latitude(int row) {
  return std::atan(std::sinh(std::numbers::pi * (1 - 2.0 * row / zoom_tiles))) * 180 / std::numbers::pi;
}

Georeference georeference_of(TilePlace place, int size) {
  const double west = 360.0 * place.column / zoom_tiles - 180;
  const double north = latitude(place.row);
  return {wgs84, {west, 360.0 / zoom_tiles / size, 0, north, 0, (latitude(place.row + 1) - north) / size}};
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

// What a scene's pixels are computed from. Coordinates are in tile widths.
class Painter {
 public:
  Painter(std::uint64_t seed, int index, TilePlace place)
      : place_(place),
        relief_(seed, relief_purpose, id(index), 6, 0.5F),
        plants_(seed, plants_purpose, id(index), 6, 0.55F),
        warp_(seed, warp_purpose, id(index), 4),
        cumulus_(seed, cumulus_purpose, id(index), 7, 0.62F),
        cirrus_(seed, cirrus_purpose, id(index), 6, 0.6F) {
    Philox draw(seed, scene_purpose, id(index));
    sun_ = 0.62F + 0.3F * draw.uniform();
    // Half of the scenes are nearly clear, as over the summer's west.
    cumulus_cover_ = draw.uniform() < 0.5F ? -0.75F : -0.45F + 0.55F * draw.uniform();
    cirrus_cover_ = draw.uniform() < 0.6F ? -0.9F : -0.35F + 0.4F * draw.uniform();
    cirrus_angle_ = 3.14F * draw.uniform();
    dryness_ = 0.35F * static_cast<float>(place.column - 20) / 7 + 0.25F * (draw.uniform() - 0.5F);
  }

  // Above 0: land. The coast runs from Puget Sound to Los Angeles and on to the south-east.
  [[nodiscard]] float land(float x, float y) const {
    const float row = static_cast<float>(place_.row) + y;
    const float coast = 19.9F + 0.62F * std::max(0.0F, row - 48.2F);
    return static_cast<float>(place_.column) + x - coast + 0.32F * relief_(2 * x + 9, 2 * y + 9);
  }

  [[nodiscard]] Spectrum ground(float x, float y) const {
    const float shore = smoothstep(-0.004F, 0.004F, land(x, y));
    // Relief is lit from the south-west, where the afternoon's sun stands.
    constexpr float gap = 1.0F / 256;
    const float slope = relief(x + gap, y) - relief(x - gap, y) - relief(x, y + gap) + relief(x, y - gap);
    const float shade = std::clamp(1 + 1.5F * slope, 0.65F, 1.35F);
    const float dry = dryness_ + 0.45F * plants_(3 * x, 3 * y) - 0.25F * relief(x, y);
    auto cover = mix(mix(forest_spectrum, grass_spectrum, smoothstep(-0.35F, 0.1F, dry)), desert_spectrum,
                     smoothstep(0.1F, 0.6F, dry));
    for (auto& band : cover) band *= shade * (1 + 0.12F * plants_(17 * x + 5, 17 * y + 5));
    auto sea = ocean_spectrum;
    for (auto& band : sea) band *= 1 + 0.08F * warp_(3 * x, 3 * y);
    return mix(sea, cover, shore);
  }

  // Share of the pixel that each cloud hides.
  [[nodiscard]] float water_cloud(float x, float y) const {
    const float u = 3 * x + 0.15F * warp_(3 * x, 3 * y);
    const float v = 3 * y + 0.15F * warp_(3 * x + 7, 3 * y + 7);
    return 0.95F * smoothstep(0, 0.9F, cumulus_(u, v) + cumulus_cover_);
  }

  // Sunlit tops and shaded hollows of clouds, about 1.
  [[nodiscard]] float cloud_relief(float x, float y) const {
    constexpr float gap = 1.5F / 256;
    const float slope = cumulus_(3 * (x + gap), 3 * (y - gap)) - cumulus_(3 * (x - gap), 3 * (y + gap));
    return std::clamp(0.92F + 0.45F * slope + 0.1F * cumulus_(5 * x + 9, 5 * y + 9), 0.65F, 1.2F);
  }

  [[nodiscard]] float ice_cloud(float x, float y) const {
    const float along = x * std::cos(cirrus_angle_) + y * std::sin(cirrus_angle_);
    const float across = y * std::cos(cirrus_angle_) - x * std::sin(cirrus_angle_);
    const float bend = 0.6F * warp_(1.5F * x + 3, 1.5F * y + 3);
    return 0.7F * smoothstep(0, 1.4F, cirrus_(1.2F * along + bend + 20, 5 * across + bend + 20) + cirrus_cover_);
  }

  [[nodiscard]] float sun() const { return sun_; }

 private:
  static std::uint32_t id(int index) { return static_cast<std::uint32_t>(index); }

  [[nodiscard]] float relief(float x, float y) const {
    return relief_(3 * x + 0.2F * warp_(4 * x, 4 * y), 3 * y + 0.2F * warp_(4 * x + 9, 4 * y + 9));
  }

  TilePlace place_;
  FractalNoise relief_, plants_, warp_, cumulus_, cirrus_;
  float sun_ = 1;
  float cumulus_cover_ = 0, cirrus_cover_ = 0, cirrus_angle_ = 0, dryness_ = 0;
};

// One to three fires in two thirds of the scenes. A fire burns on land; over the sea the smoke comes from the east.
std::vector<SmokeSource> draw_fires(std::uint64_t seed, int index, const Painter& painter) {
  Philox draw(seed, scene_purpose, static_cast<std::uint32_t>(index), 1);
  std::vector<SmokeSource> fires;
  if (draw.uniform() > 0.67F) return fires;
  const auto count = 1 + draw.below(3);
  const float heading = 6.2831853F * draw.uniform();
  for (std::uint32_t i = 0; i < count; ++i) {
    SmokeSource fire;
    fire.x = 0.15F + 0.7F * draw.uniform();
    fire.y = 0.15F + 0.7F * draw.uniform();
    fire.strength = 1.1F + 1.6F * draw.uniform();
    float direction = heading + 0.25F * draw.normal();
    if (painter.land(fire.x, fire.y) < 0.02F) {
      fire.x = 1.03F;
      direction = 3.1415927F + 0.4F * draw.normal();
    }
    const float reach = 0.5F + 0.6F * draw.uniform();
    fire.wind_x = reach * std::cos(direction);
    fire.wind_y = reach * std::sin(direction);
    fires.push_back(fire);
  }
  return fires;
}

// A fire's own glow shows at 2.25 um in the pixel or two that hold it.
float fire_glow(const std::vector<SmokeSource>& fires, float x, float y, float pixel) {
  float glow = 0;
  for (const auto& fire : fires) {
    const float distance = std::hypot(x - fire.x, y - fire.y) / pixel;
    glow += 0.5F * std::exp(-0.5F * distance * distance);
  }
  return glow;
}

std::uint8_t to_byte(float reflectance, float noise) {
  const float scaled = std::sqrt(100 * std::clamp(reflectance, 0.0F, 1.0F)) * 25.5F + noise;
  return static_cast<std::uint8_t>(std::clamp(std::floor(scaled), 0.0F, 255.0F));
}

}  // namespace

Scene draw_scene(std::uint64_t seed, int index, int size) {
  const auto place = place_of(seed, index);
  const Painter painter(seed, index, place);
  const auto fires = draw_fires(seed, index, painter);
  const auto area = static_cast<std::size_t>(size) * static_cast<std::size_t>(size);
  std::vector<float> depth(area);
  for (std::uint32_t i = 0; i < fires.size(); ++i)
    add_smoke(seed, static_cast<std::uint32_t>(index), i, fires[i], size, depth);

  Scene scene{
      fmt::format("scene_{:04}_{}_{}", index, place.row, place.column), size, {}, {}, georeference_of(place, size)};
  scene.pixels.reserve(area * scene_bands);
  scene.mask.reserve(area);
  Philox detector(seed, detector_purpose, static_cast<std::uint32_t>(index));
  const float pixel = 1 / static_cast<float>(size);
  for (std::size_t i = 0; i < area; ++i) {
    const float x = (static_cast<float>(i % static_cast<std::size_t>(size)) + 0.5F) * pixel;
    const float y = (static_cast<float>(i / static_cast<std::size_t>(size)) + 0.5F) * pixel;
    auto spectrum = painter.ground(x, y);
    spectrum[5] += fire_glow(fires, x, y, pixel);
    for (std::size_t band = 0; band < spectrum.size(); ++band)
      spectrum[band] += (smoke_spectrum[band] - spectrum[band]) * (1 - std::exp(-depth[i] * smoke_depth[band]));
    const float water = painter.water_cloud(x, y);
    const float ice = painter.ice_cloud(x, y);
    auto cloud = water_cloud_spectrum;
    for (auto& band : cloud) band *= painter.cloud_relief(x, y);
    spectrum = mix(mix(spectrum, cloud, water), ice_cloud_spectrum, ice);
    for (const float reflectance : spectrum)
      scene.pixels.push_back(to_byte(painter.sun() * reflectance, 0.6F * detector.normal()));
    const bool smoke = depth[i] >= smoke_threshold && std::max(water, ice) < hiding_cover;
    scene.mask.push_back(smoke ? 255 : 0);
  }
  return scene;
}

void write_scenes(const std::filesystem::path& folder, int count, std::uint64_t seed,
                  const std::function<void(int done, int total)>& progress) {
  if (count < 1) throw usage_error("{} scenes: it takes at least 1", count);
  for (const char* name : {"tiles", "masks"}) {
    std::error_code failed;
    std::filesystem::create_directories(folder / name, failed);
    if (failed) throw environment_error("cannot make {}: {}", (folder / name).string(), failed.message());
  }
  for (int index = 0; index < count; ++index) {
    const auto scene = draw_scene(seed, index);
    write_geotiff(folder / "tiles" / (scene.name + ".tif"), {scene.size, scene.size, scene_bands}, scene.pixels,
                  scene.georeference);
    write_png(folder / "masks" / (scene.name + ".png"), {scene.size, scene.size, 1}, scene.mask);
    if (progress) progress(index + 1, count);
  }
}

}  // namespace plume::data
