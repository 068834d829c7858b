// The rules of a layer graph: what may follow what, and which shapes come out.
#include "unet/inference/graph.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>
#include <set>

#include "kernels/base/error.hpp"

namespace plume::unet {
namespace {

// Bounds that no U-Net reaches; they keep sizes computed from a hostile file within their types.
constexpr int max_channels = 1 << 16;
constexpr int max_kernel = 31;
constexpr int max_level = 16;

void require(bool condition, std::string_view reason) {
  if (!condition) throw input_error("{}", reason);
}

void check_channels(std::int64_t channels) {
  if (channels < 1 || channels > max_channels) {
    throw input_error("has {} channels; 1 to {} are possible", channels, max_channels);
  }
}

void check_statistics(const InputSpec& input) {
  const auto bands = static_cast<std::size_t>(input.bands);
  for (const auto* values : {&input.mean, &input.std}) {
    if (!values->empty() && values->size() != bands) {
      throw input_error("input has {} bands, but its mean or std has {} values", bands, values->size());
    }
  }
  const auto finite = [](float value) { return std::isfinite(value); };
  require(std::ranges::all_of(input.mean, finite), "input mean is not finite");
  require(std::ranges::all_of(input.std, [](float value) { return std::isfinite(value) && value > 0; }),
          "input std is not positive and finite");
}

void check_kernel(const Layer& layer) {
  if (layer.kernel < 1 || layer.kernel > max_kernel) {
    throw input_error("has kernel size {}; 1 to {} are possible", layer.kernel, max_kernel);
  }
  if (layer.stride != 1 && layer.stride != 2) throw input_error("has stride {}; 1 and 2 are possible", layer.stride);
  for (const int pad : layer.pad) {
    if (pad < 0 || pad > layer.kernel) {
      throw input_error("has pad [{}]; each of 0 to the kernel size is possible", fmt::join(layer.pad, ", "));
    }
  }
  check_channels(layer.channels);
}

// Output size = (size + pad - kernel) / stride + 1, rounded down. It is the size itself (stride 1) or the half of an
// even size (stride 2) exactly for the paddings accepted here.
LayerOutput convolve(const Layer& layer, LayerOutput in) {
  check_kernel(layer);
  if (layer.kernel % 2 == 0) throw input_error("has an even kernel size {}; convolutions need odd ones", layer.kernel);
  for (const int total : {layer.pad[0] + layer.pad[2], layer.pad[1] + layer.pad[3]}) {
    const bool keeps = total == layer.kernel - 1;
    const bool halves = layer.stride == 2 && total == layer.kernel - 2;
    if (!keeps && !halves) {
      throw input_error("has kernel size {}, stride {} and pad [{}], which trims the image; pad {} in all per axis",
                        layer.kernel, layer.stride, fmt::join(layer.pad, ", "), layer.kernel - 1);
    }
  }
  return {layer.channels, in.level + layer.stride - 1};
}

// Output size = (size - 1) * stride + kernel - crop; it is stride times the size when crop is kernel - stride.
LayerOutput convolve_transposed(const Layer& layer, LayerOutput in) {
  check_kernel(layer);
  if (layer.stride != 2 || layer.kernel < 2) {
    throw input_error("has stride {} and kernel size {}; a transposed convolution needs stride 2 and kernel 2 or more",
                      layer.stride, layer.kernel);
  }
  for (const int total : {layer.pad[0] + layer.pad[2], layer.pad[1] + layer.pad[3]}) {
    if (total != layer.kernel - layer.stride) {
      throw input_error("has kernel size {} and pad [{}], which does not double the image; crop {} in all per axis",
                        layer.kernel, fmt::join(layer.pad, ", "), layer.kernel - layer.stride);
    }
  }
  return {layer.channels, in.level - 1};
}

LayerOutput normalize(const Layer& layer, LayerOutput in) {
  require(std::isfinite(layer.epsilon) && layer.epsilon > 0, "has an epsilon that is not positive");
  require(layer.momentum >= 0 && layer.momentum <= 1, "has a momentum outside 0 to 1");
  return in;
}

LayerOutput join(const Layer& layer, const std::vector<LayerOutput>& inputs) {
  std::int64_t channels = 0;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const LayerOutput in = inputs[i];
    if (in.level != inputs[0].level) {
      throw input_error("joins images of different size ({} at 1/{} and {} at 1/{})", layer.inputs[0],
                        std::exp2(inputs[0].level), layer.inputs[i], std::exp2(in.level));
    }
    if (layer.kind == LayerKind::add && in.channels != inputs[0].channels) {
      throw input_error("adds {} and {} channels", inputs[0].channels, in.channels);
    }
    channels += in.channels;
  }
  if (layer.kind == LayerKind::add) return inputs[0];
  check_channels(channels);
  return {static_cast<int>(channels), inputs[0].level};
}

LayerOutput infer(const Layer& layer, const std::vector<LayerOutput>& inputs) {
  const bool joins = layer.kind == LayerKind::concat || layer.kind == LayerKind::add;
  if (joins ? inputs.size() < 2 : inputs.size() != 1) {
    throw input_error("has {} inputs, not {}", inputs.size(), joins ? "two or more" : "one");
  }
  const LayerOutput in = inputs[0];
  switch (layer.kind) {
    case LayerKind::conv2d: return convolve(layer, in);
    case LayerKind::conv_transpose2d: return convolve_transposed(layer, in);
    case LayerKind::batch_norm: return normalize(layer, in);
    case LayerKind::relu: return in;
    case LayerKind::max_pool: return {in.channels, in.level + 1};
    case LayerKind::upsample_nearest:
    case LayerKind::upsample_bilinear:
    case LayerKind::upsample_aligned: return {in.channels, in.level - 1};
    case LayerKind::concat:
    case LayerKind::add: return join(layer, inputs);
  }
  throw input_error("has an unknown kind");
}

// The layers seen so far: what each name yields, and which have been used.
class Wiring {
 public:
  explicit Wiring(int bands) { outputs_.emplace("input", LayerOutput{bands, 0}); }

  std::vector<LayerOutput> resolve(const Layer& layer) {
    std::vector<LayerOutput> inputs;
    for (const std::string& name : layer.inputs) {
      const auto found = outputs_.find(name);
      if (found == outputs_.end()) throw input_error("takes '{}', which no earlier layer is named", name);
      inputs.push_back(found->second);
      used_.insert(name);
    }
    return inputs;
  }

  void define(const Layer& layer, LayerOutput output) {
    if (std::abs(output.level) > max_level)
      throw input_error("halves or doubles the image more than {} times", max_level);
    require(layer.name != "input", "has the name reserved for the image");
    require(outputs_.emplace(layer.name, output).second, "has a name used before");
  }

  [[nodiscard]] bool used(const std::string& name) const { return used_.contains(name); }

 private:
  std::map<std::string, LayerOutput, std::less<>> outputs_;
  std::set<std::string, std::less<>> used_;
};

// Errors name the layer, so its name must not break their line.
void check_names(const Graph& graph) {
  for (std::size_t i = 0; i < graph.layers.size(); ++i) {
    const std::string& name = graph.layers[i].name;
    if (name.empty()) throw input_error("layer number {} has no name", i + 1);
    if (std::ranges::any_of(name, [](char c) { return static_cast<unsigned char>(c) < 0x20; })) {
      throw input_error("layer number {} has a control character in its name", i + 1);
    }
  }
}

void check_output(const Graph& graph, LayerOutput output) {
  const std::string& name = graph.layers.back().name;
  if (output.level != 0) {
    throw input_error("output layer '{}' is at 1/{} of the image's size, not at full size", name,
                      std::exp2(output.level));
  }
  if (output.channels != graph.classes) {
    throw input_error("output layer '{}' has {} channels for {} classes", name, output.channels, graph.classes);
  }
  if (graph.activation == Activation::softmax && graph.classes < 2) {
    throw input_error("softmax over {} class is always 1; use sigmoid", graph.classes);
  }
}

bool is_head(const Graph& graph, const Layer& layer) {
  return std::ranges::find(graph.heads, layer.name) != graph.heads.end();
}

void check_heads(const Graph& graph, const std::vector<LayerOutput>& outputs) {
  int level = 0;
  for (const std::string& name : graph.heads) {
    const auto layer = std::ranges::find(graph.layers, name, &Layer::name);
    if (layer == graph.layers.end()) throw input_error("head '{}' is no layer", name);
    const LayerOutput& output = outputs[static_cast<std::size_t>(layer - graph.layers.begin())];
    if (output.channels != graph.classes || output.level != ++level) {
      throw input_error("head '{}' has {} channels at 1/{} of the image's size, not {} at 1/{}", name, output.channels,
                        std::exp2(output.level), graph.classes, std::exp2(level));
    }
  }
}

}  // namespace

std::vector<LayerOutput> infer_outputs(const Graph& graph) {
  require(graph.input.bands >= 1 && graph.input.bands <= max_channels, "input has no bands, or too many");
  require(!graph.layers.empty(), "a network needs at least one layer");
  check_statistics(graph.input);
  check_names(graph);

  Wiring wiring(graph.input.bands);
  std::vector<LayerOutput> outputs;
  for (const Layer& layer : graph.layers) {
    try {
      outputs.push_back(infer(layer, wiring.resolve(layer)));
      wiring.define(layer, outputs.back());
    } catch (const Error& error) {
      throw input_error("layer '{}' {}", layer.name, error.what());
    }
  }
  for (const Layer& layer : graph.layers) {
    if (&layer != &graph.layers.back() && !wiring.used(layer.name) && !is_head(graph, layer)) {
      throw input_error("layer '{}' is used by no other and is not the output", layer.name);
    }
  }
  check_output(graph, outputs.back());
  check_heads(graph, outputs);
  return outputs;
}

Graph without_heads(const Graph& graph) {
  Graph left = graph;
  std::erase_if(left.layers, [&](const Layer& layer) { return is_head(graph, layer); });
  left.heads.clear();
  return left;
}

void validate(const Graph& graph) {
  static_cast<void>(infer_outputs(graph));
}

int size_multiple(const Graph& graph) {
  int deepest = 0;
  for (const LayerOutput& output : infer_outputs(graph)) deepest = std::max(deepest, output.level);
  return 1 << deepest;
}

std::vector<ParameterShape> parameter_shapes(const Graph& graph) {
  const std::vector<LayerOutput> outputs = infer_outputs(graph);
  std::map<std::string, std::int64_t, std::less<>> channels{{"input", graph.input.bands}};
  std::vector<ParameterShape> shapes;
  for (std::size_t i = 0; i < graph.layers.size(); ++i) {
    const Layer& layer = graph.layers[i];
    const std::int64_t in = channels.at(layer.inputs[0]);
    const std::int64_t out = outputs[i].channels;
    const std::int64_t kernel = layer.kernel;
    channels[layer.name] = out;
    switch (layer.kind) {
      case LayerKind::conv2d: shapes.push_back({layer.name + ".weight", {out, in, kernel, kernel}}); break;
      case LayerKind::conv_transpose2d: shapes.push_back({layer.name + ".weight", {in, out, kernel, kernel}}); break;
      case LayerKind::batch_norm:
        for (const char* suffix : {".weight", ".bias", ".running_mean", ".running_var"}) {
          shapes.push_back({layer.name + suffix, {out}});
        }
        continue;
      default: continue;
    }
    if (layer.bias) shapes.push_back({layer.name + ".bias", {out}});
  }
  return shapes;
}

}  // namespace plume::unet
