// Forwards for how far a network looks, backwards for what is needed of each layer.
#include "unet/inference/reach.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <map>
#include <string>

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

bool doubles(const Layer& layer) {
  return layer.kind == LayerKind::conv_transpose2d || layer.kind == LayerKind::upsample_nearest ||
         layer.kind == LayerKind::upsample_bilinear || layer.kind == LayerKind::upsample_aligned;
}

// Whole pixels of a level.
Sides rounded_down(const Sides& sides, int level) {
  const double pixel = std::exp2(std::max(level, 0));
  Sides result{};
  for (std::size_t i = 0; i < sides.size(); ++i) result[i] = std::floor(sides[i] / pixel) * pixel;
  return result;
}

Sides each_of(const Sides& a, const Sides& b, const double& (*choose)(const double&, const double&)) {
  Sides result{};
  for (std::size_t i = 0; i < result.size(); ++i) result[i] = choose(a[i], b[i]);
  return result;
}

// What nobody needs of a value.
struct Spare {
  Sides sides{};
  int coarsest = std::numeric_limits<int>::min();  // level of the value and all that comes of it, which cuts must fit
  bool read = false;
};

}  // namespace

bool hangs_on_size(const Graph& graph) {
  return std::any_of(graph.layers.begin(), graph.layers.end(),
                     [](const Layer& layer) { return layer.kind == LayerKind::upsample_aligned; });
}

Margins reach_of(const Graph& graph) {
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

std::vector<Cut> cuts_within(const Graph& graph, const Margins& margins) {
  const auto outputs = infer_outputs(graph);
  const Sides kept{static_cast<double>(margins.top), static_cast<double>(margins.left),
                   static_cast<double>(margins.bottom), static_cast<double>(margins.right)};
  std::map<std::string, std::size_t> places{{"input", 0}};
  for (std::size_t i = 0; i < graph.layers.size(); ++i) places[graph.layers[i].name] = i + 1;

  std::vector<Spare> spares(graph.layers.size() + 1);
  std::vector<Sides> spare_inputs(graph.layers.size());  // of layers that double the size
  for (std::size_t i = graph.layers.size(); i-- > 0;) {
    const Layer& layer = graph.layers[i];
    Spare& own = spares[i + 1];
    own.coarsest = std::max(own.coarsest, outputs[i].level);
    own.sides = rounded_down(own.read ? own.sides : kept, outputs[i].level);
    for (const std::string& name : layer.inputs) {
      Spare& input = spares[places.at(name)];
      const int level = name == "input" ? 0 : outputs[places.at(name) - 1].level;
      const Sides looks = reach_of(layer, Sides{}, level);
      Sides spare{};
      for (std::size_t side = 0; side < spare.size(); ++side)
        spare[side] = std::max(0.0, own.sides[side] - looks[side]);
      if (doubles(layer)) spare_inputs[i] = rounded_down(spare, std::max(own.coarsest, level));
      input.sides = input.read ? each_of(input.sides, spare, std::min<double>) : spare;
      input.coarsest = std::max(input.coarsest, own.coarsest);
      input.read = true;
    }
  }

  std::vector<Sides> cut(graph.layers.size() + 1);
  std::vector<Cut> cuts(cut.size());
  for (std::size_t i = 0; i < graph.layers.size(); ++i) {
    Sides& own = cut[i + 1];
    if (doubles(graph.layers[i])) own = spare_inputs[i];
    for (const std::string& name : graph.layers[i].inputs) own = each_of(own, cut[places.at(name)], std::max<double>);
    const auto whole = [&](std::size_t side) { return static_cast<int>(own[side]); };
    cuts[i + 1] = {{whole(0), whole(1), whole(2), whole(3)}, outputs[i].level};
  }
  return cuts;
}

}  // namespace plume::unet
