// How images are cut into Winograd tiles, and how the points of some tiles lie in memory.
#pragma once

#include <algorithm>
#include <cstddef>

#include "kernels/cpu/parallel.hpp"

namespace plume::kernels {

// Tiles of outputs x outputs pixels cover images of rows x columns, the last of a row or column in part.
struct Tiling {
  int outputs;
  int rows;
  int columns;
  int tile_rows;
  int tile_columns;
  std::ptrdiff_t tiles;  // of all images

  Tiling(int outputs_, int images, int rows_, int columns_)
      : outputs(outputs_),
        rows(rows_),
        columns(columns_),
        tile_rows(ceil_div(rows, outputs)),
        tile_columns(ceil_div(columns, outputs)),
        tiles(std::ptrdiff_t{images} * tile_rows * tile_columns) {}

  // The image of a tile and its first row and column there.
  struct Place {
    int image;
    int row;
    int column;
  };
  [[nodiscard]] Place place(std::ptrdiff_t tile) const {
    const std::ptrdiff_t tile_row = tile / tile_columns;
    return {static_cast<int>(tile_row / tile_rows), static_cast<int>(tile_row % tile_rows) * outputs,
            static_cast<int>(tile % tile_columns) * outputs};
  }
};

// Neighbouring tiles that are worked on together.
struct TileBlock {
  std::ptrdiff_t first = 0;
  int tiles = 0;
  int most = 0;  // tiles of a group

  // Groups are as equal in size as they can be with at most `limit` tiles.
  TileBlock(std::ptrdiff_t first_, int tiles_, int limit)
      : first(first_), tiles(tiles_), most(ceil_div(tiles, ceil_div(tiles, limit))) {}
  [[nodiscard]] int groups() const { return ceil_div(tiles, most); }
  [[nodiscard]] int group_tiles(int group) const { return std::min(most, tiles - group * most); }
};

// Elements from one point's values to the next point's: an odd number of cache lines, so that the values of one tile at
// all points do not fall into the same few sets of the L1 cache.
template <class T>
[[nodiscard]] constexpr std::ptrdiff_t point_step(std::ptrdiff_t elements) {
  constexpr std::ptrdiff_t line = 64 / sizeof(T);
  return ((elements + line - 1) / line | 1) * line;
}

}  // namespace plume::kernels
