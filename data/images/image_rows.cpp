// Rows of an image in memory.
#include "data/images/image_rows.hpp"

#include <cstddef>

namespace plume::data {

Raster WholeImage::read(int first, int last) {
  Raster rows;
  rows.height = last - first;
  rows.width = raster_.width;
  rows.bands = raster_.bands;
  rows.stored = raster_.stored;
  const auto cut = [&](const auto& values, auto& to, int per_pixel) {
    const std::ptrdiff_t row = std::ptrdiff_t{raster_.width} * per_pixel;
    to.assign(values.begin() + first * row, values.begin() + last * row);
  };
  cut(raster_.pixels, rows.pixels, raster_.bands);
  if (!raster_.valid.empty()) cut(raster_.valid, rows.valid, 1);
  return rows;
}

}  // namespace plume::data
