// Tiles of the drawn world as the reference workflow has them: a byte per band, cut along web-mercator tiles.
#include "data/synth/tiles.hpp"

#include <algorithm>
#include <cmath>

#include "data/formats/geotiff_write.hpp"
#include "data/images/png.hpp"
#include "data/loading/permutation.hpp"
#include "data/synth/world.hpp"
#include "kernels/base/error.hpp"
#include "kernels/base/philox.hpp"

namespace plume::data::synth {
namespace {

constexpr float smoke_threshold = 0.2F;  // optical depth from which an analyst would outline smoke
constexpr float hiding_cover = 0.5F;     // cover from which nothing below can be seen

// Purposes of the seed's draws.
constexpr std::uint32_t place_purpose = 0x01;
constexpr std::uint32_t fire_purpose = 0x66697265;
constexpr std::uint32_t detector_purpose = 0x64657465;

// As the real tiles: x 16 .. 27 and y 43 .. 54 are the Pacific and the western states.
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

Georeference georeference_of(TilePlace place, int size) {
  const double west = longitude_of(place.column);
  const double north = latitude_of(place.row);
  return {wgs84, {west, 360.0 / zoom_tiles / size, 0, north, 0, (latitude_of(place.row + 1) - north) / size}};
}

// One to three fires in two thirds of the scenes.
int count_of_fires(std::uint64_t seed, int index) {
  Philox draw(seed, fire_purpose, static_cast<std::uint32_t>(index));
  return draw.uniform() > 0.67F ? 0 : 1 + static_cast<int>(draw.below(3));
}

std::uint8_t to_byte(float reflectance, float noise) {
  const float scaled = std::sqrt(100 * std::clamp(reflectance, 0.0F, 1.0F)) * 25.5F + noise;
  return static_cast<std::uint8_t>(std::clamp(std::floor(scaled), 0.0F, 255.0F));
}

}  // namespace

Scene draw_scene(std::uint64_t seed, int index, int size) {
  const auto place = place_of(seed, index);
  const World world(seed, index, place.column, place.row);
  const auto fires = draw_fires(seed, index, world, count_of_fires(seed, index), 1, 1);
  SmokeField smoke(size, size, size);
  for (std::size_t i = 0; i < fires.size(); ++i) smoke.add(seed, index, static_cast<int>(i), fires[i]);

  Scene scene{
      fmt::format("scene_{:04}_{}_{}", index, place.row, place.column), size, {}, {}, georeference_of(place, size)};
  const auto area = static_cast<std::size_t>(size) * static_cast<std::size_t>(size);
  scene.pixels.reserve(area * drawn_bands);
  scene.mask.reserve(area);
  Philox detector(seed, detector_purpose, static_cast<std::uint32_t>(index));
  const float pixel = 1 / static_cast<float>(size);
  for (std::size_t i = 0; i < area; ++i) {
    const float x = (static_cast<float>(i % static_cast<std::size_t>(size)) + 0.5F) * pixel;
    const float y = (static_cast<float>(i / static_cast<std::size_t>(size)) + 0.5F) * pixel;
    const float depth = smoke.depth()[i];
    const World::Sight sight = world.look(x, y, depth, fire_glow(fires, x, y, pixel));
    for (const float reflectance : sight.reflectance)
      scene.pixels.push_back(to_byte(world.light() * reflectance, 0.6F * detector.normal()));
    scene.mask.push_back(depth >= smoke_threshold && sight.cloud < hiding_cover ? 255 : 0);
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
    write_geotiff(folder / "tiles" / (scene.name + ".tif"), {scene.size, scene.size, drawn_bands}, scene.pixels,
                  scene.georeference);
    write_png(folder / "masks" / (scene.name + ".png"), {scene.size, scene.size, 1}, scene.mask);
    if (progress) progress(index + 1, count);
  }
}

}  // namespace plume::data::synth
