// Which tiles train, which validate, which test: from a CSV, or by a seeded hash of spatial blocks.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/images/raster.hpp"

namespace plume::data {

// The value is what a shard's `split` dataset stores.
enum class Split : std::uint8_t { train = 0, val = 1, test = 2 };

[[nodiscard]] std::string_view name_of(Split split);

// "train", "val" (or "validation", "valid") or "test". Throws usage_error for anything else.
[[nodiscard]] Split split_from_name(std::string_view name);

// A CSV by RFC 4180 with a header; columns `tile` (file name without extension) and `split`, others ignored.
// Returns the split of each of `names`. Throws input_error: no such file, a column missing, an open quote, an unknown
// split or a tile given twice (with its line); a listed tile that is not in names, or the reverse (names one, counts).
[[nodiscard]] std::vector<Split> split_from_csv(const std::filesystem::path& path, std::span<const std::string> names);

struct BlockSplit {
  double val = 0.2;
  double test = 0.1;
  std::uint64_t seed = 0;
  int block = 4;  // edge of a spatial block, in widths and heights of the first georeferenced tile
};

struct PlacedTile {
  std::string name;  // file name without extension
  int height = 0;
  int width = 0;
  Georeference georeference;
};

// Tiles whose centre falls in the same block go to the same split, so that neighbours seldom leak; tiles without
// georeference are blocks of their own, by name. Blocks are ordered by a hash of (seed, block), then dealt to val until
// it holds round(val * N) tiles, to test likewise, the rest to train; so fractions are met to within a block.
// The order of tiles does not matter. Throws usage_error where val or test is negative, their sum is 1 or more, or
// block < 1; input_error where a wanted split or train stays empty (too few blocks: a smaller `block` helps).
[[nodiscard]] std::vector<Split> split_by_blocks(std::span<const PlacedTile> tiles, const BlockSplit& options);

}  // namespace plume::data
