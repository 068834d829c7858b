// Reads, predicts, and asks nothing where nobody labelled.
#include "unet/predicted_tile.hpp"

#include "kernels/loss.hpp"

namespace plume::unet {

PredictedTile predict_tile(Predictor& predictor, const Graph& graph, const data::Shard& shard, int tile,
                           float threshold) {
  const data::ShardInfo& info = shard.info();
  const auto pixels = static_cast<std::size_t>(info.height) * static_cast<std::size_t>(info.width);
  PredictedTile result;
  result.image.height = info.height;
  result.image.width = info.width;
  result.image.bands = info.bands;
  result.image.pixels.resize(pixels * static_cast<std::size_t>(info.bands));
  shard.read(tile, {}, {}, result.image.pixels.data());
  result.labels.resize(pixels);
  shard.read_labels(tile, {0, 0, info.height, info.width}, result.labels.data());
  result.prediction = decide(predictor.probabilities(result.image.pixels.data(), 1, info.height, info.width),
                             result.image, graph.classes, threshold);
  for (std::size_t i = 0; i < pixels; ++i)
    if (result.labels[i] == kernels::ignore_label) result.prediction.labels[i] = 0;
  return result;
}

}  // namespace plume::unet
