// Graph, weights and ranges out of safetensors.
#include "unet/inference/model_file.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>
#include <vector>

#include "kernels/base/error.hpp"
#include "nn/safetensors.hpp"

namespace plume::unet {
namespace {

std::vector<nn::NamedTensor> parameters_of(const CheckpointFile& file, const Network& network) {
  std::vector<nn::NamedTensor> tensors;
  for (const auto& info : network.parameters().all()) {
    const nn::TensorInfo* tensor = file.find(info.name).info;
    if (tensor == nullptr) throw input_error("{}: parameter {} is missing", file.path().string(), info.name);
    tensors.push_back({info.name, tensor->shape, file.floats(info.name)});
    const auto& values = tensors.back().values;
    if (!std::all_of(values.begin(), values.end(), [](float value) { return std::isfinite(value); })) {
      throw input_error("{}: parameter {} is not finite", file.path().string(), info.name);
    }
  }
  return tensors;
}

}  // namespace

Graph graph_of(const CheckpointFile& file) {
  return with_context(file.path().string(), [&] { return graph_from_json(file.metadata("plume.graph")); });
}

void load_weights(const CheckpointFile& file, Network& network) {
  with_context(file.path().string(), [&] { load_parameters(network, parameters_of(file, network)); });
}

Network load_model(const std::filesystem::path& path, DType dtype, kernels::Stream* stream, nn::Gradients gradients) {
  const CheckpointFile file(path);
  Network network(without_heads(graph_of(file)), dtype, Fusion::on, stream, gradients);
  load_weights(file, network);
  return network;
}

Ranges load_ranges(const std::filesystem::path& path) {
  const nn::SafetensorsFile file(path);
  Ranges ranges;
  for (const nn::TensorInfo& tensor : file.tensors()) {
    if (!tensor.name.ends_with(range_suffix)) continue;
    const auto values = file.floats(tensor.name);
    std::vector<Range> channels(values.size() / range_values);
    bool sound = tensor.shape.size() == 2 && tensor.shape[1] == range_values;
    for (std::size_t c = 0; c < channels.size() && sound; ++c) {
      const float* range = values.data() + c * range_values;
      channels[c] = {range[0], range[1], range[2]};
      sound = std::all_of(range, range + range_values, [](float value) { return std::isfinite(value); }) &&
              range[0] <= range[1] && std::isfinite(range[1] - range[0]) && range[2] >= 0;
    }
    if (!sound) throw input_error("{}: {} is no list of ranges", path.string(), tensor.name);
    ranges[tensor.name.substr(0, tensor.name.size() - std::strlen(range_suffix))] = std::move(channels);
  }
  if (ranges.empty()) {
    throw input_error("{}: not calibrated for int8; `plume quantize` makes a model that is", path.string());
  }
  return ranges;
}

std::optional<Ranges> ranges_for(const std::filesystem::path& path, Precision precision) {
  return precision == Precision::int8 ? std::optional(load_ranges(path)) : std::nullopt;
}

}  // namespace plume::unet
