// Tiles painted.
#include "unet/report/tile_pictures.hpp"

#include <array>
#include <cstdint>
#include <utility>

#include "data/images/png.hpp"
#include "kernels/loss.hpp"
#include "unet/inference/overlay.hpp"
#include "unet/predicted_tile.hpp"

namespace plume::unet {
namespace {

using Colour = std::array<std::uint8_t, 4>;
constexpr Colour clear{0, 0, 0, 0};
constexpr Colour ignored{128, 128, 128, 160};
// By class; further ones begin anew.
constexpr std::array<Colour, 4> tints{{{255, 96, 0, 150}, {255, 200, 0, 150}, {220, 0, 120, 150}, {0, 200, 255, 150}}};

Colour colour_of(std::uint8_t label) {
  if (label == 0) return clear;
  return label == kernels::ignore_label ? ignored : tints[(label - 1U) % tints.size()];
}

std::vector<std::byte> tinted(std::span<const std::uint8_t> labels, int height, int width) {
  std::vector<std::uint8_t> pixels;
  pixels.reserve(4 * labels.size());
  for (const std::uint8_t label : labels) {
    const Colour colour = colour_of(label);
    pixels.insert(pixels.end(), colour.begin(), colour.end());
  }
  return data::encode_png({height, width, 4}, pixels);
}

}  // namespace

std::vector<TilePictures> draw_tiles(Predictor& predictor, const Graph& graph, const data::Shard& shard,
                                     std::span<const int> tiles, float threshold) {
  std::vector<TilePictures> drawn;
  for (const int tile : tiles) {
    const auto [image, labels, prediction] = predict_tile(predictor, graph, shard, tile, threshold);
    const std::size_t pixels = labels.size();
    const std::vector<std::uint8_t> none(pixels);
    const std::vector<float> nothing(pixels);
    drawn.push_back({shard.info().name[static_cast<std::size_t>(tile)],
                     data::encode_png({image.height, image.width, 3}, draw_overlay(image, none, nothing)),
                     tinted(labels, image.height, image.width), tinted(prediction.labels, image.height, image.width)});
  }
  return drawn;
}

}  // namespace plume::unet
