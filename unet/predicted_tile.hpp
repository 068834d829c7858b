// A shard's tile with its labels and what a model says of it, for people to look at.
#pragma once

#include <cstdint>
#include <vector>

#include "data/images/raster.hpp"
#include "data/shards/shard.hpp"
#include "unet/inference/predict.hpp"
#include "unet/inference/prediction.hpp"

namespace plume::unet {

struct PredictedTile {
  data::Raster image;
  std::vector<std::uint8_t> labels;  // [height, width], 255 = ignored
  Prediction prediction;             // where labels are ignored nothing is found
};

// Throws as Shard::read does.
[[nodiscard]] PredictedTile predict_tile(Predictor& predictor, const Graph& graph, const data::Shard& shard, int tile,
                                         float threshold);

}  // namespace plume::unet
