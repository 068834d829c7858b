// What TensorBoard shows of a validation: tiles as they are, with their labels and with what was found, side by side.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "data/shards/shard.hpp"
#include "unet/inference/predict.hpp"

namespace plume::unet {

struct TilePanel {
  std::string name;  // the tile's
  int height = 0;
  int width = 0;
  std::vector<std::byte> png;  // RGB
};

// Whether tiles are shown at the validation after this step: ten times in a training at most, evenly spread, as many as
// TensorBoard keeps of a tag; the last validation is one of them.
[[nodiscard]] bool shows_tiles(std::int64_t step, std::int64_t steps, std::int64_t validate_every);

// Of up to `count` tiles of the validation split, spread over those that hold a class; over all where none does. Tiles
// of more than 192 pixels are shrunk. Throws as Shard::read does.
[[nodiscard]] std::vector<TilePanel> draw_panels(Predictor& predictor, const Graph& graph, const data::Shard& shard,
                                                 int count, double threshold);

}  // namespace plume::unet
