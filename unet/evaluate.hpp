// Metrics of a network over the tiles of a split.
#pragma once

#include <span>
#include <vector>

#include "data/shards/shard.hpp"
#include "unet/inference/predict.hpp"
#include "unet/metrics/confusion.hpp"

namespace plume::unet {

struct Evaluation {
  int tiles = 0;
  std::vector<Confusion> counts;  // by class
};

// Whole tiles, a few at a time. Throws input_error where the shard does not fit the model or the split is empty.
[[nodiscard]] Evaluation evaluate(Predictor& predictor, const Graph& graph, const data::Shard& shard, data::Split split,
                                  float threshold, int batch = 4);

// The same of these tiles alone, possibly none.
[[nodiscard]] Evaluation evaluate(Predictor& predictor, const Graph& graph, const data::Shard& shard,
                                  std::span<const int> tiles, float threshold, int batch = 4);

// Throws input_error where the shard's bands, classes or tile size do not fit the model.
void require_fit(const Graph& graph, const data::Shard& shard);

}  // namespace plume::unet
