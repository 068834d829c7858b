// Tile and mask folders to one shard (shard.hpp).
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <vector>

#include "kernels/base/dtype.hpp"

namespace plume::data {

struct PackOptions {
  std::filesystem::path tiles;      // folder of rasters (raster.hpp)
  std::filesystem::path masks;      // folder of masks; a mask belongs to the tile of the same stem
  std::filesystem::path split_csv;  // empty: by spatial blocks (split.hpp) with the four values below
  double val = 0.2;
  double test = 0.1;
  std::uint64_t seed = 0;
  int block = 4;           // edge of a spatial block, in tile widths
  std::vector<int> bands;  // 0-based (parse_bands); empty: all
  int classes = 1;
  std::vector<int> mask_values;     // labels.hpp
  std::optional<int> ignore_value;  // labels.hpp
  std::filesystem::path output;     // the shard; replaced only by a complete one
  int threads = 2;                  // readers; the result's bytes do not depend on it
};

struct PackReport {
  int tiles = 0;
  int height = 0;
  int width = 0;
  int bands = 0;
  int classes = 1;
  DType dtype = DType::u8;
  std::array<int, 3> split{};           // tiles in train, val, test
  std::array<int, 3> positive_tiles{};  // of these, tiles with any label from 1 up
  double positive_fraction = 0;         // such pixels among all that are not ignored
  std::int64_t ignored_pixels = 0;
  std::vector<float> mean;  // [bands], training split
  std::vector<float> std;
};

// Called after each tile, from any thread but one call at a time. An exception from it ends the packing: pack()
// throws it once the tiles being read are done, the callback is not called again, and no file stays behind.
using PackProgress = std::function<void(int done, int total)>;

// Packs in sorted-name order; the same input gives the same bytes. Throws, leaving no file behind:
//   input_error       whatever raster.hpp, labels.hpp and split.hpp throw; a tile without a mask or the reverse (names
//                     one, counts); a mask of another size than its tile (names both, with sizes); a tile of another
//                     size, band count or type than the first (names both); more than 16 bands without a choice; no
//                     measured pixel in the training split
//   environment_error the output cannot be written: no folder, no permission, disk full
PackReport pack(const PackOptions& options, const PackProgress& progress = {});

}  // namespace plume::data
