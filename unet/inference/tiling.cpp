// The receptive field, and tiles along an axis.
#include "unet/inference/tiling.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

#include "kernels/base/error.hpp"
#include "unet/inference/padding.hpp"

namespace plume::unet {
namespace {

// A value at 1/2^level of the image's size has pixels with a footprint of 2^level pixels of the image. These are the
// image's pixels beyond it that its value depends on, by side as Layer::pad.
using Sides = std::array<double, 4>;

Sides grown(const Sides& sides, const Sides& by, double pixel) {
  Sides result{};
  for (std::size_t i = 0; i < sides.size(); ++i) result[i] = std::max(0.0, sides[i] + by[i] * pixel);
  return result;
}

Sides reach_of(const Layer& layer, const Sides& in, int in_level) {
  const double in_pixel = std::exp2(in_level);
  const double out_pixel = in_pixel / 2;  // of layers that double the size
  const double k = layer.kernel;
  switch (layer.kind) {
    case LayerKind::conv2d: {
      // Output i reads inputs i * stride - pad to i * stride - pad + kernel - 1; its own are `stride` of them.
      const double top = layer.pad[0];
      const double left = layer.pad[1];
      return grown(in, {top, left, k - top - layer.stride, k - left - layer.stride}, in_pixel);
    }
    case LayerKind::conv_transpose2d: {
      // Output o, before cropping o + crop, is written by inputs from (o + crop - kernel + 1) / 2 to (o + crop) / 2.
      const double top = layer.pad[0];
      const double left = layer.pad[1];
      return grown(in, {k - 1 - top, k - 1 - left, top + 1, left + 1}, out_pixel);
    }
    case LayerKind::upsample_nearest: return grown(in, {1, 1, 1, 1}, out_pixel);
    case LayerKind::upsample_bilinear:
    case LayerKind::upsample_aligned: return grown(in, {2, 2, 2, 2}, out_pixel);
    case LayerKind::batch_norm:
    case LayerKind::relu:
    case LayerKind::max_pool:
    case LayerKind::concat:
    case LayerKind::add: break;
  }
  return in;
}

// A Gaussian about a tile's centre.
std::vector<double> weights_of_tile(int size) {
  const double centre = (size - 1) / 2.0;
  const double sigma = size / 8.0;
  std::vector<double> weights;
  for (int i = 0; i < size; ++i) weights.push_back(std::exp(-(i - centre) * (i - centre) / (2 * sigma * sigma)));
  return weights;
}

}  // namespace

bool hangs_on_size(const Graph& graph) {
  return std::any_of(graph.layers.begin(), graph.layers.end(),
                     [](const Layer& layer) { return layer.kind == LayerKind::upsample_aligned; });
}

Reach reach_of(const Graph& graph) {
  const auto outputs = infer_outputs(graph);
  struct Value {
    Sides sides{};
    int level = 0;
  };
  std::map<std::string, Value> values{{"input", {}}};
  for (std::size_t i = 0; i < graph.layers.size(); ++i) {
    const Layer& layer = graph.layers[i];
    Value in;
    for (const std::string& name : layer.inputs) {
      const Value& value = values.at(name);
      in.level = value.level;
      for (std::size_t side = 0; side < in.sides.size(); ++side)
        in.sides[side] = std::max(in.sides[side], value.sides[side]);
    }
    values[layer.name] = {reach_of(layer, in.sides, in.level), outputs[i].level};
  }
  const Sides& sides = values.at(graph.layers.back().name).sides;
  const auto whole = [](double reach) { return static_cast<int>(std::ceil(reach)); };
  return {whole(sides[0]), whole(sides[1]), whole(sides[2]), whole(sides[3])};
}

int least_tile(int before, int after, int multiple) {
  return round_up(before, multiple) + round_up(after, multiple) + multiple;
}

void require_tile(int largest, int before, int after, int multiple) {
  const int least = least_tile(before, after, multiple);
  if (largest / multiple * multiple < least)
    throw usage_error("tiles of {} are too small for the model, which looks {} pixels around; it takes {} or more",
                      largest, std::max(before, after), least);
}

TileAxis cut_axis(int extent, int before, int after, int multiple, int largest) {
  const int limit = largest / multiple * multiple;
  if (extent <= limit) return {extent, {{.kept_last = extent}}};
  require_tile(largest, before, after, multiple);
  // n tiles cover n * size - (n - 1) * margins.
  const int margin_after = round_up(after, multiple);
  const int margins = round_up(before, multiple) + margin_after;
  const int count = (extent - margins + limit - margins - 1) / (limit - margins);
  const auto covered = std::int64_t{extent} + std::int64_t{count - 1} * margins;
  TileAxis axis{round_up(static_cast<int>((covered + count - 1) / count), multiple), {}};
  const int stride = axis.size - margins;
  for (int tile = 0, kept = 0; tile < count; ++tile) {
    const int first = std::min(tile * stride, extent - axis.size);
    const int last = tile == count - 1 ? extent : first + axis.size - margin_after;
    axis.spans.push_back({first, kept, last});
    kept = last;
  }
  return axis;
}

TileAxis overlap_axis(int extent, int multiple, int largest, double overlap) {
  const int size = largest / multiple * multiple;
  if (size == 0)
    throw usage_error("tiles of {} are too small for the model, which takes multiples of {}", largest, multiple);
  if (extent <= size) return {extent, {{.kept_last = extent}}};
  const int stride = std::max(1, static_cast<int>(size * (1 - overlap)) / multiple) * multiple;
  const int steps = (extent - size + stride - 1) / stride;
  const std::vector<double> weights = weights_of_tile(size);
  std::vector<double> sums(static_cast<std::size_t>(extent));
  TileAxis axis{size, {}};
  for (int step = 0; step <= steps; ++step) {
    const auto first = static_cast<int>(std::int64_t{extent - size} / multiple * step / steps) * multiple;
    axis.spans.push_back({first, first, first + size});
    for (std::size_t i = 0; i < weights.size(); ++i) sums[static_cast<std::size_t>(first) + i] += weights[i];
  }
  for (TileSpan& span : axis.spans) {
    for (std::size_t i = 0; i < weights.size(); ++i)
      span.weights.push_back(static_cast<float>(weights[i] / sums[static_cast<std::size_t>(span.first) + i]));
  }
  return axis;
}

}  // namespace plume::unet
