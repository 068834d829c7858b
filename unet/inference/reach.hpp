// How far a network looks around each pixel, and what it need not compute of a tile whose margins are cut off.
// The margins are as wide as the network looks, which is far at its coarse levels; on the way up ever less of them is
// needed: the finest level looks a few pixels around what is kept.
#pragma once

#include <vector>

#include "unet/inference/graph.hpp"

namespace plume::unet {

// Pixels of the image at the sides of a part of it.
struct Margins {
  int top = 0;
  int left = 0;
  int bottom = 0;
  int right = 0;
  bool operator==(const Margins&) const = default;
};

// Whether an output pixel depends on the image's size too (upsample_aligned), so that no tile gives what the whole
// gives.
[[nodiscard]] bool hangs_on_size(const Graph& graph);

// How many pixels beyond its own an output pixel depends on, at most. From the graph alone, which must not hang on the
// size: kernels, strides, paddings and resampling of every path. Throws as validate does.
[[nodiscard]] Margins reach_of(const Graph& graph);

// What is missing of a value that is computed in part. At level l its pixels are 2^l of the image's wide, of which all
// four are multiples.
struct Cut {
  Margins margins;
  int level = 0;
};

// By value (0: the image; i + 1: what layer i yields): what layers may leave out where only what lies within `margins`
// of the output is kept. Layers that double the size leave it out and those that read them; others compute what they
// are given. All inputs of a layer must be cut as its output is.
[[nodiscard]] std::vector<Cut> cuts_within(const Graph& graph, const Margins& margins);

}  // namespace plume::unet
