// Tiles for people to look at: the image, its label and what a model found, as PNGs that lie upon each other.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "data/shards/shard.hpp"
#include "unet/inference/predict.hpp"

namespace plume::unet {

struct TilePictures {
  std::string name;
  std::vector<std::byte> scene;  // RGB, in true colour where the bands allow it (overlay.hpp)
  std::vector<std::byte> truth;  // RGBA: labelled pixels are tinted, ignored ones grey, others clear
  std::vector<std::byte> found;  // the same of what was found above the threshold, where labels are not ignored
};

// Of a shard's tiles, by their numbers. Throws as Shard::read does.
[[nodiscard]] std::vector<TilePictures> draw_tiles(Predictor& predictor, const Graph& graph, const data::Shard& shard,
                                                   std::span<const int> tiles, float threshold);

}  // namespace plume::unet
