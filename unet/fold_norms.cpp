#include "unet/fold_norms.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace plume::unet {
namespace {

bool is_convolution(const Layer& layer) {
  return layer.kind == LayerKind::conv2d || layer.kind == LayerKind::conv_transpose2d;
}

// The normalisations to fold: convolution -> the normalisation that alone reads it.
std::map<std::string, const Layer*> find_folds(const Graph& graph) {
  std::map<std::string, int> readers;
  for (const Layer& layer : graph.layers) {
    for (const std::string& input : layer.inputs) ++readers[input];
  }
  std::map<std::string, const Layer*> folds;
  for (const Layer& norm : graph.layers) {
    if (norm.kind != LayerKind::batch_norm || readers[norm.inputs.front()] != 1) continue;
    const auto conv = std::find_if(graph.layers.begin(), graph.layers.end(),
                                   [&](const Layer& layer) { return layer.name == norm.inputs.front(); });
    if (conv != graph.layers.end() && is_convolution(*conv)) folds[conv->name] = &norm;
  }
  return folds;
}

Graph without(const std::map<std::string, const Layer*>& folds, const Graph& graph) {
  std::map<std::string, std::string> renamed;
  for (const auto& [conv, norm] : folds) renamed[norm->name] = conv;
  Graph folded = graph;
  std::erase_if(folded.layers, [&](const Layer& layer) { return renamed.contains(layer.name); });
  for (Layer& layer : folded.layers) {
    layer.bias = layer.bias || folds.contains(layer.name);
    for (std::string& input : layer.inputs) {
      if (renamed.contains(input)) input = renamed[input];
    }
  }
  return folded;
}

nn::NamedTensor parameter(const Network& network, const std::string& name) {
  return network.parameters().to_named(*network.parameters().find(name));
}

// The convolution's weight and bias with the normalisation in them.
std::pair<nn::NamedTensor, nn::NamedTensor> fold(const Network& network, const Layer& conv, const Layer& norm) {
  nn::NamedTensor weight = parameter(network, conv.name + ".weight");
  nn::NamedTensor bias = parameter(network, norm.name + ".bias");
  bias.name = conv.name + ".bias";
  const nn::NamedTensor gamma = parameter(network, norm.name + ".weight");
  const nn::NamedTensor mean = parameter(network, norm.name + ".running_mean");
  const nn::NamedTensor variance = parameter(network, norm.name + ".running_var");
  const std::size_t channels = bias.values.size();
  std::vector<double> scale(channels);
  for (std::size_t c = 0; c < channels; ++c) {
    scale[c] = double{gamma.values[c]} / std::sqrt(double{variance.values[c]} + double{norm.epsilon});
  }
  std::vector<float> old_bias(channels);
  if (conv.bias) old_bias = parameter(network, bias.name).values;
  for (std::size_t c = 0; c < channels; ++c) {
    const double shift = scale[c] * (double{old_bias[c]} - double{mean.values[c]});
    bias.values[c] = static_cast<float>(double{bias.values[c]} + shift);
  }
  // (out, in, k, k), or (in, out, k, k) where transposed
  const auto taps = static_cast<std::size_t>(conv.kernel) * static_cast<std::size_t>(conv.kernel);
  const auto inner = conv.kind == LayerKind::conv2d ? static_cast<std::size_t>(weight.shape[1]) * taps : taps;
  for (std::size_t i = 0; i < weight.values.size(); ++i) {
    weight.values[i] = static_cast<float>(double{weight.values[i]} * scale[i / inner % channels]);
  }
  return {std::move(weight), std::move(bias)};
}

}  // namespace

Network fold_norms(const Network& network) {
  const Graph& graph = network.graph();
  const auto folds = find_folds(graph);
  Network folded(without(folds, graph), network.dtype(), Fusion::on, network.stream());
  std::map<std::string, nn::NamedTensor> changed;
  for (const Layer& layer : graph.layers) {
    const auto found = folds.find(layer.name);
    if (found == folds.end()) continue;
    auto [weight, bias] = fold(network, layer, *found->second);
    changed[weight.name] = std::move(weight);
    changed[bias.name] = std::move(bias);
  }
  std::vector<nn::NamedTensor> tensors;
  for (const nn::ParameterInfo& info : folded.parameters().all()) {
    const auto found = changed.find(info.name);
    tensors.push_back(found == changed.end() ? parameter(network, info.name) : std::move(found->second));
  }
  load_parameters(folded, tensors);
  return folded;
}

}  // namespace plume::unet
