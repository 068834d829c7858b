// Panels of overlays.
#include "unet/tensorboard/tile_panels.hpp"

#include <algorithm>
#include <array>

#include "data/images/png.hpp"
#include "kernels/loss.hpp"
#include "unet/inference/overlay.hpp"
#include "unet/predicted_tile.hpp"

namespace plume::unet {
namespace {

constexpr std::int64_t most_times = 10;
constexpr int most_pixels = 192;  // of a panel's edge
constexpr int gap = 4;            // white pixels between panels
constexpr int channels = 3;

std::size_t offset_of(int row, int column, int width) {
  return (static_cast<std::size_t>(row) * static_cast<std::size_t>(width) + static_cast<std::size_t>(column)) *
         channels;
}

// Writes an RGB picture of height x width, shrunk by a whole factor, into a wider one from a column on.
void put_shrunk(std::vector<std::uint8_t>& to, int to_width, int first_column, const std::vector<std::uint8_t>& from,
                int height, int width, int factor) {
  for (int row = 0; row < height / factor; ++row) {
    for (int column = 0; column < width / factor; ++column) {
      for (int c = 0; c < channels; ++c) {
        int sum = 0;
        for (int y = 0; y < factor; ++y) {
          for (int x = 0; x < factor; ++x)
            sum += from[offset_of(row * factor + y, column * factor + x, width) + static_cast<std::size_t>(c)];
        }
        to[offset_of(row, first_column + column, to_width) + static_cast<std::size_t>(c)] =
            static_cast<std::uint8_t>(sum / (factor * factor));
      }
    }
  }
}

TilePanel panel_of(const std::string& name, const PredictedTile& tile) {
  const data::Raster& image = tile.image;
  const std::vector<std::uint8_t> none(tile.labels.size());
  const std::vector<float> certain(tile.labels.size(), 1.0F);
  std::vector<std::uint8_t> labels = tile.labels;
  std::replace(labels.begin(), labels.end(), kernels::ignore_label, std::uint8_t{0});
  const std::array pictures{draw_overlay(image, none, certain), draw_overlay(image, labels, certain),
                            draw_overlay(image, tile.prediction.labels, tile.prediction.confidence)};

  const int factor = (std::max(image.height, image.width) + most_pixels - 1) / most_pixels;
  const int step = image.width / factor + gap;
  TilePanel panel{name, image.height / factor, static_cast<int>(pictures.size()) * step - gap, {}};
  std::vector<std::uint8_t> pixels(offset_of(panel.height, 0, panel.width), 255);
  for (std::size_t i = 0; i < pictures.size(); ++i)
    put_shrunk(pixels, panel.width, static_cast<int>(i) * step, pictures[i], image.height, image.width, factor);
  panel.png = data::encode_png({panel.height, panel.width, channels}, pixels);
  return panel;
}

std::vector<int> tiles_to_show(const data::Shard& shard, int count) {
  const auto tiles = shard.tiles(data::Split::val);
  std::vector<int> holding;
  std::copy_if(tiles.begin(), tiles.end(), std::back_inserter(holding),
               [&](int tile) { return shard.foreground_fraction(tile) > 0; });
  if (holding.empty()) holding.assign(tiles.begin(), tiles.end());
  std::vector<int> chosen;
  const std::size_t wanted = std::min(static_cast<std::size_t>(count), holding.size());
  for (std::size_t i = 0; i < wanted; ++i) chosen.push_back(holding[i * holding.size() / wanted]);
  return chosen;
}

}  // namespace

bool shows_tiles(std::int64_t step, std::int64_t steps, std::int64_t validate_every) {
  if (step == steps) return true;
  const std::int64_t times = most_times - 1;
  const std::int64_t validations = (steps - 1) / validate_every;  // before the last
  const std::int64_t index = step / validate_every;
  return index * times / validations > (index - 1) * times / validations;
}

std::vector<TilePanel> draw_panels(Predictor& predictor, const Graph& graph, const data::Shard& shard, int count,
                                   double threshold) {
  std::vector<TilePanel> panels;
  for (const int tile : tiles_to_show(shard, count)) {
    panels.push_back(panel_of(shard.info().name[static_cast<std::size_t>(tile)],
                              predict_tile(predictor, graph, shard, tile, static_cast<float>(threshold))));
  }
  return panels;
}

}  // namespace plume::unet
