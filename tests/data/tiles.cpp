// Pixels are Philox draws keyed by the tile's name.
#include "tiles.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <span>

#include "data/formats/geotiff_write.hpp"
#include "data/images/png.hpp"
#include "data/shards/shard_write.hpp"
#include "data/shards/tile_table.hpp"
#include "kernels/base/philox.hpp"

namespace plume::tests {
namespace {

std::vector<std::uint8_t> pixels_of(const std::string& name, const TileMaker& maker) {
  std::vector<std::uint8_t> pixels(static_cast<std::size_t>(maker.height * maker.width * maker.bands));
  Philox draw(7, 0, static_cast<std::uint32_t>(name[name.size() - 1]), static_cast<std::uint32_t>(name[1]));
  for (auto& pixel : pixels) pixel = static_cast<std::uint8_t>(draw.below(256));
  return pixels;
}

std::vector<std::uint8_t> mask_of(int square, std::uint8_t value, const TileMaker& maker) {
  std::vector<std::uint8_t> mask(static_cast<std::size_t>(maker.height * maker.width));
  for (int y = 0; y < square; ++y) {
    for (int x = 0; x < square; ++x) mask[static_cast<std::size_t>((y + 2) * maker.width + x + 3)] = value;
  }
  return mask;
}

}  // namespace

void add_tile(const std::filesystem::path& folder, const std::string& name, int column, int row, int square,
              const TileMaker& maker) {
  std::filesystem::create_directories(folder / "tiles");
  std::filesystem::create_directories(folder / "masks");
  const auto pixels = pixels_of(name, maker);
  const auto mask = mask_of(square, 255, maker);
  data::Georeference georeference;
  const double degrees = maker.pixel_degrees;
  if (degrees > 0)
    georeference.transform = {-120 + column * maker.width * degrees, degrees, 0,
                              40 - row * maker.height * degrees,     0,       -degrees};
  data::write_geotiff(folder / "tiles" / (name + ".tif"), {maker.height, maker.width, maker.bands}, pixels,
                      georeference);
  data::write_png(folder / "masks" / (name + ".png"), {maker.height, maker.width, 1}, mask);
}

void add_tiles(const std::filesystem::path& folder, int count, const TileMaker& maker) {
  for (int i = 0; i < count; ++i)
    add_tile(folder, fmt::format("t{:02}", i), i, 0, i % 3 == 0 ? std::min(6, maker.width - 4) : 0, maker);
}

FolderPacking pack_options(const std::filesystem::path& folder) {
  FolderPacking options;
  options.tiles = folder / "tiles";
  options.masks = folder / "masks";
  options.output = folder / "pack.h5";
  options.block = 1;
  return options;
}

void write_shard(const std::filesystem::path& path, int count) {
  const TileMaker maker;
  data::ShardWriter writer(path, {count, {maker.height, maker.width, maker.bands, DType::u8}});
  data::ShardInfo info;
  info.height = maker.height;
  info.width = maker.width;
  info.bands = maker.bands;
  info.scale = {1, 1, 1};
  info.offset = {0, 0, 0};
  info.mean = {120, 130, 125};
  info.std = {70, 75, 80};
  info.creator = "test";
  for (int i = 0; i < count; ++i) {
    const auto name = fmt::format("t{:02}", i);
    const int square = i % 3 == 0 ? 6 : 0;
    const auto pixels = pixels_of(name, maker);
    const auto labels = mask_of(square, 1, maker);
    writer.write_tile(i, std::as_bytes(std::span(pixels)), labels);
    data::Raster raster;
    raster.height = maker.height;
    raster.width = maker.width;
    raster.bands = maker.bands;
    raster.pixels.assign(pixels.begin(), pixels.end());
    data::append_tile(info, name, {name + ".tif", name + ".png"}, {raster, labels});
  }
  writer.finish(info);
}

}  // namespace plume::tests
