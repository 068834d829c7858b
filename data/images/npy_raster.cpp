// A .npy array taken as an image.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "data/images/npy.hpp"
#include "data/images/raster_rules.hpp"
#include "kernels/base/error.hpp"

namespace plume::data {
namespace {

// Extents of an image and whether its channels come first.
struct NpyLayout {
  std::int64_t height = 0;
  std::int64_t width = 0;
  std::int64_t bands = 1;
  bool channels_first = false;
};

NpyLayout npy_layout(const std::string& name, std::vector<std::int64_t> shape) {
  if (shape.size() == 4 && shape[0] == 1) shape.erase(shape.begin());
  if (shape.size() == 2) return {shape[0], shape[1], 1, false};
  if (shape.size() == 3) {
    if (shape[0] <= max_bands && shape[2] > max_bands) return {shape[1], shape[2], shape[0], true};
    return {shape[0], shape[1], shape[2], false};
  }
  throw input_error("{} has {} dimensions; a tile is [height, width], [height, width, bands] or [bands, height, width]",
                    name, shape.size());
}

}  // namespace

Raster raster_of(NpyArray array, const std::string& name, const std::vector<int>& bands) {
  const auto layout = npy_layout(name, array.shape);
  require_extent(name, layout.height, layout.width, layout.bands);
  const auto chosen = chosen_bands(name, bands, static_cast<int>(layout.bands));
  Raster raster;
  raster.height = static_cast<int>(layout.height);
  raster.width = static_cast<int>(layout.width);
  raster.bands = static_cast<int>(chosen.size());
  raster.stored = stored_type(array.dtype);
  if (!layout.channels_first && bands.empty()) {
    raster.pixels = std::move(array.values);  // as they are wanted
    return raster;
  }
  const auto area = static_cast<std::size_t>(layout.height * layout.width);
  const auto stride = layout.channels_first ? std::size_t{1} : static_cast<std::size_t>(layout.bands);
  raster.pixels.resize(area * chosen.size());
  for (std::size_t slot = 0; slot < chosen.size(); ++slot) {
    const auto start = static_cast<std::size_t>(chosen[slot]) * (layout.channels_first ? area : 1);
    for (std::size_t pixel = 0; pixel < area; ++pixel)
      raster.pixels[pixel * chosen.size() + slot] = array.values[start + pixel * stride];
  }
  return raster;
}

}  // namespace plume::data
