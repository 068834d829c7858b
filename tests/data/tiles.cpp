// Pixels are Philox draws keyed by the tile's name.
#include "tiles.hpp"

#include <fmt/core.h>

#include "data/raster_write.hpp"
#include "kernels/base/philox.hpp"

namespace plume::tests {

void add_tile(const std::filesystem::path& folder, const std::string& name, int column, int row, int square,
              const TileMaker& maker) {
  std::filesystem::create_directories(folder / "tiles");
  std::filesystem::create_directories(folder / "masks");
  const auto area = static_cast<std::size_t>(maker.height * maker.width);
  std::vector<std::uint8_t> pixels(area * static_cast<std::size_t>(maker.bands));
  Philox draw(7, 0, static_cast<std::uint32_t>(name[name.size() - 1]), static_cast<std::uint32_t>(name[0]));
  for (auto& pixel : pixels) pixel = static_cast<std::uint8_t>(draw.below(256));
  std::vector<std::uint8_t> mask(area);
  for (int y = 0; y < square; ++y) {
    for (int x = 0; x < square; ++x) mask[static_cast<std::size_t>((y + 2) * maker.width + x + 3)] = 255;
  }
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
  for (int i = 0; i < count; ++i) add_tile(folder, fmt::format("t{:02}", i), i, 0, i % 3 == 0 ? 6 : 0, maker);
}

data::PackOptions pack_options(const std::filesystem::path& folder) {
  data::PackOptions options;
  options.tiles = folder / "tiles";
  options.masks = folder / "masks";
  options.output = folder / "pack.h5";
  options.block = 1;
  return options;
}

}  // namespace plume::tests
