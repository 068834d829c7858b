// Cutting large images so that no seam shows: a tile is read with a margin as wide as the network looks, and only what
// lies within the margin is kept, so every pixel is what it would be in the whole image (but for rounding, as a
// convolution's algorithm depends on its shape).
#pragma once

#include <vector>

#include "unet/inference/graph.hpp"

namespace plume::unet {

// How many pixels of the image beyond its own an output pixel depends on, at most.
struct Reach {
  int top = 0;
  int left = 0;
  int bottom = 0;
  int right = 0;
  bool operator==(const Reach&) const = default;
};

// Whether an output pixel depends on the image's size too (upsample_aligned), so that no tile gives what the whole
// gives.
[[nodiscard]] bool hangs_on_size(const Graph& graph);

// From the graph alone, which must not hang on the size: kernels, strides, paddings and resampling of every path.
// Throws as validate does.
[[nodiscard]] Reach reach_of(const Graph& graph);

// Where a tile lies on one axis, and which part of it is kept.
struct TileSpan {
  int first = 0;
  int kept_first = 0;
  int kept_last = 0;  // one behind
};

// Tiles of one size; the parts that are kept follow each other from 0 to the extent.
struct TileAxis {
  int size = 0;
  std::vector<TileSpan> spans;
};

// extent and the tiles' size and places are multiples of `multiple` (size_multiple). As few tiles as a size of at most
// `largest` allows, and those as small as that number allows. Throws usage_error naming the least size where `largest`
// has no room for the reach before and after.
[[nodiscard]] TileAxis cut_axis(int extent, int before, int after, int multiple, int largest);

// The least `largest` that cut_axis takes.
[[nodiscard]] int least_tile(int before, int after, int multiple);
// Throws as cut_axis does.
void require_tile(int largest, int before, int after, int multiple);

}  // namespace plume::unet
