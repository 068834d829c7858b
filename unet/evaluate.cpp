// Evaluation of whole tiles.
#include "unet/evaluate.hpp"

#include <algorithm>
#include <cstdint>

#include "kernels/base/error.hpp"

namespace plume::unet {

void require_fit(const Graph& graph, const data::Shard& shard) {
  const data::ShardInfo& info = shard.info();
  const std::string path = shard.path().string();
  if (info.bands != graph.input.bands) {
    throw input_error("{}: tiles have {} bands, the model takes {}", path, info.bands, graph.input.bands);
  }
  if (info.classes != graph.classes) {
    throw input_error("{}: labels have {} classes, the model has {}", path, info.classes, graph.classes);
  }
  const int multiple = size_multiple(graph);
  if (info.height % multiple != 0 || info.width % multiple != 0) {
    throw input_error("{}: tiles of {}x{} do not fit the model, which needs multiples of {}", path, info.height,
                      info.width, multiple);
  }
}

Evaluation evaluate(Predictor& predictor, const Graph& graph, const data::Shard& shard, data::Split split,
                    float threshold, int batch) {
  const auto tiles = shard.tiles(split);
  if (tiles.empty()) throw input_error("{}: no tile in the split '{}'", shard.path().string(), data::name_of(split));
  return evaluate(predictor, graph, shard, tiles, threshold, batch);
}

Evaluation evaluate(Predictor& predictor, const Graph& graph, const data::Shard& shard, std::span<const int> tiles,
                    float threshold, int batch) {
  require_fit(graph, shard);
  const data::ShardInfo& info = shard.info();
  const auto pixels = static_cast<std::size_t>(info.height) * static_cast<std::size_t>(info.width);
  const auto values = pixels * static_cast<std::size_t>(info.bands);

  Evaluation result{static_cast<int>(tiles.size()), std::vector<Confusion>(static_cast<std::size_t>(graph.classes))};
  std::vector<float> images;
  std::vector<std::uint8_t> labels(pixels);
  for (std::size_t first = 0; first < tiles.size(); first += static_cast<std::size_t>(batch)) {
    const std::size_t count = std::min(tiles.size() - first, static_cast<std::size_t>(batch));
    images.resize(count * values);
    for (std::size_t i = 0; i < count; ++i) {
      shard.read(tiles[first + i], graph.input.mean, graph.input.std, images.data() + i * values);
    }
    const auto probability =
        predictor.probabilities_of_normalized(images.data(), static_cast<int>(count), info.height, info.width);
    for (std::size_t i = 0; i < count; ++i) {
      shard.read_labels(tiles[first + i], {0, 0, info.height, info.width}, labels.data());
      count_pixels(result.counts, probability.data() + i * pixels * static_cast<std::size_t>(graph.classes),
                   labels.data(), static_cast<std::int64_t>(pixels), graph.classes, threshold);
    }
  }
  return result;
}

}  // namespace plume::unet
