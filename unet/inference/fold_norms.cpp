#include "unet/inference/fold_norms.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
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

// What a normalisation does by its running statistics: x * scale + shift.
struct Affine {
  std::vector<double> scale;
  std::vector<double> shift;
};

Affine affine_of(const Network& network, const Layer& norm) {
  const nn::NamedTensor gamma = parameter(network, norm.name + ".weight");
  const nn::NamedTensor beta = parameter(network, norm.name + ".bias");
  const nn::NamedTensor mean = parameter(network, norm.name + ".running_mean");
  const nn::NamedTensor variance = parameter(network, norm.name + ".running_var");
  Affine affine;
  for (std::size_t c = 0; c < gamma.values.size(); ++c) {
    const double scale = double{gamma.values[c]} / std::sqrt(double{variance.values[c]} + double{norm.epsilon});
    affine.scale.push_back(scale);
    affine.shift.push_back(double{beta.values[c]} - scale * double{mean.values[c]});
  }
  return affine;
}

nn::NamedTensor folded_weight(const Network& network, const Layer& conv, const Affine& affine) {
  nn::NamedTensor weight = parameter(network, conv.name + ".weight");
  // (out, in, k, k), or (in, out, k, k) where transposed
  const auto taps = static_cast<std::size_t>(conv.kernel) * static_cast<std::size_t>(conv.kernel);
  const auto inner = conv.kind == LayerKind::conv2d ? static_cast<std::size_t>(weight.shape[1]) * taps : taps;
  for (std::size_t i = 0; i < weight.values.size(); ++i) {
    weight.values[i] = static_cast<float>(double{weight.values[i]} * affine.scale[i / inner % affine.scale.size()]);
  }
  return weight;
}

nn::NamedTensor folded_bias(const Network& network, const Layer& conv, const Affine& affine) {
  const std::string name = conv.name + ".bias";
  nn::NamedTensor bias{name, {conv.channels}, std::vector<float>(affine.scale.size())};
  if (conv.bias) bias = parameter(network, name);
  for (std::size_t c = 0; c < bias.values.size(); ++c) {
    bias.values[c] = static_cast<float>(affine.scale[c] * double{bias.values[c]} + affine.shift[c]);
  }
  return bias;
}

}  // namespace

Network fold_norms(const Network& network) {
  const Graph& graph = network.graph();
  const auto folds = find_folds(graph);
  Network folded(without(folds, graph), network.dtype(), Fusion::on, network.stream(), nn::Gradients::no);
  nn::Parameters& parameters = folded.parameters();
  const auto set = [&](const nn::NamedTensor& tensor) { parameters.from_named(*parameters.find(tensor.name), tensor); };
  for (const Layer& layer : graph.layers) {
    const auto found = folds.find(layer.name);
    if (found == folds.end()) continue;
    const Affine affine = affine_of(network, *found->second);
    set(folded_weight(network, layer, affine));
    set(folded_bias(network, layer, affine));
  }
  for (const nn::ParameterInfo& info : parameters.all()) {
    if (!folds.contains(info.name.substr(0, info.name.rfind('.')))) set(parameter(network, info.name));
  }
  return folded;
}

}  // namespace plume::unet
