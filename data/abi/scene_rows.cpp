// Parts of a grid, which are grids.
#include "data/abi/scene_rows.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace plume::data::abi {

SceneRows::SceneRows(SceneReader reader, const geo::Grid& grid)
    : ImageRows({grid.height, grid.width, reader.bands()}, grid.georeference),
      reader_(std::move(reader)),
      grid_(grid) {}

Raster SceneRows::read(int first, int last) {
  // How much a pixel covers is told by the one below, or of the last row above, so that one is read along.
  const int above = first > 0 && first + 1 == grid_.height ? 1 : 0;
  geo::Grid part = grid_;
  auto& t = part.georeference.transform;
  t[0] += (first - above) * t[2];
  t[3] += (first - above) * t[5];
  part.height = std::min(last + 1, grid_.height) - first + above;
  Raster rows = reader_.read_part(part, seen_);
  if (last == grid_.height) reader_.require_seen(seen_);
  rows.height = last - first;
  const auto cut = [&](auto& values, int per_pixel) {
    const std::ptrdiff_t row = std::ptrdiff_t{rows.width} * per_pixel;
    values.erase(values.begin(), values.begin() + above * row);
    values.resize(static_cast<std::size_t>(rows.height * row));
  };
  cut(rows.pixels, rows.bands);
  if (!rows.valid.empty()) cut(rows.valid, 1);
  rows.georeference = {};
  return rows;
}

}  // namespace plume::data::abi
