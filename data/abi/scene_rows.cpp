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
  geo::Grid part = grid_;
  auto& t = part.georeference.transform;
  t[0] += first * t[2];
  t[3] += first * t[5];
  // How much a pixel covers is told by the one below, so that one is read along.
  part.height = std::min(last + 1, grid_.height) - first;
  Raster rows = reader_.read_part(part, seen_);
  if (last == grid_.height) reader_.require_seen(seen_);
  const auto pixels = static_cast<std::size_t>(last - first) * static_cast<std::size_t>(rows.width);
  rows.height = last - first;
  rows.pixels.resize(pixels * static_cast<std::size_t>(rows.bands));
  if (!rows.valid.empty()) rows.valid.resize(pixels);
  rows.georeference = {};
  return rows;
}

}  // namespace plume::data::abi
