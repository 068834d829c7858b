// Cutting large images into tiles, in one of two ways.
//   crop    A tile is read with a margin as wide as the network looks, and only what lies within the margin is kept,
//           so no seam shows: every pixel is what it would be in the whole image (but for rounding, as a convolution's
//           algorithm depends on its shape).
//   smooth  Tiles overlap, and a pixel is the mean of what all say that hold it, those that have it near their centre
//           before the others. For tiles as small as those of the training, whose borders a network has learnt to live
//           with. Source: Isensee et al., "nnU-Net", 2021, and MONAI's sliding_window_inference: Gaussian weights,
//           sigma an eighth of the tile.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace plume::unet {

enum class Blend { crop, smooth };

// As users write them.
inline const std::vector<std::pair<std::string, Blend>> blend_names{{"crop", Blend::crop}, {"smooth", Blend::smooth}};

// Where a tile lies on one axis, and which part of it is kept.
struct TileSpan {
  int first = 0;
  int kept_first = 0;
  int kept_last = 0;                // one behind
  std::vector<float> weights = {};  // of the kept pixels; empty: 1
};

// Tiles of one size; the parts that are kept follow each other from 0 to the extent, or overlap with weights whose sum
// is
// 1 at every pixel.
struct TileAxis {
  int size = 0;
  std::vector<TileSpan> spans;
};

// extent and the tiles' size and places are multiples of `multiple` (size_multiple). As few tiles as a size of at most
// `largest` allows, and those as small as that number allows. Throws usage_error naming the least size where `largest`
// has no room for the reach before and after.
[[nodiscard]] TileAxis cut_axis(int extent, int before, int after, int multiple, int largest);

// The same for tiles that overlap by at least this share of their size, which is the largest that is allowed. Throws
// usage_error where `largest` is less than `multiple`.
[[nodiscard]] TileAxis overlap_axis(int extent, int multiple, int largest, double overlap);

// The least `largest` that cut_axis takes.
[[nodiscard]] int least_tile(int before, int after, int multiple);
// Throws as cut_axis does.
void require_tile(int largest, int before, int after, int multiple);

}  // namespace plume::unet
