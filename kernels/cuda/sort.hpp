// A stable radix sort of pairs on CUDA. The order of equal keys is that of before, so every run gives the same.
#pragma once

#include <cstddef>

#include "kernels/stream.hpp"

namespace plume::kernels::cuda {

inline constexpr int sort_digits = 16;
inline constexpr int sort_items = 8;  // neighbours, of one thread
inline constexpr int sort_tile = 256 * sort_items;

// Tiles of pairs, a block to each.
[[nodiscard]] inline int sort_tiles(std::ptrdiff_t count) {
  return static_cast<int>((count + sort_tile - 1) / sort_tile);
}

struct SortPairs {
  unsigned* keys;
  unsigned* values;
};

// Sorts pairs by their keys, the least first; `other` is as long, and places has sort_digits * sort_tiles(count) + 1
// elements. All in the stream's memory.
void sort_pairs(SortPairs pairs, SortPairs other, unsigned* places, std::ptrdiff_t count, CudaStream& stream);

// Each value becomes the sum of those before it; values[count] the sum of all.
void exclusive_sums(unsigned* values, int count, CudaStream& stream);

}  // namespace plume::kernels::cuda
