// Puts a Keras file's graph and weights together, in PyTorch's layouts.
#include "unet/import_keras.hpp"

#include <cstring>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "kernels/base/error.hpp"
#include "unet/child_process.hpp"
#include "unet/keras_config.hpp"
#include "unet/keras_h5.hpp"
#include "unet/keras_names.hpp"

namespace plume::unet {
namespace {

std::vector<float> read_convolution(const KerasFile& file, const std::string& layer, const ParameterShape& parameter) {
  if (parameter.shape.size() == 1) return file.weight(layer, "bias", parameter.shape);
  const auto& shape = parameter.shape;
  return from_keras_kernel(file.weight(layer, "kernel", {shape[2], shape[3], shape[1], shape[0]}), shape);
}

std::vector<float> read_batch_norm(const KerasFile& file, const KerasGraph& keras, const std::string& layer,
                                   std::string_view role, const ParameterShape& parameter) {
  const auto count = static_cast<std::size_t>(parameter.shape[0]);
  if (role == "weight" && keras.without_scale.contains(layer)) return std::vector<float>(count, 1.0F);
  if (role == "bias" && keras.without_center.contains(layer)) return std::vector<float>(count, 0.0F);
  for (const auto& [ours, theirs] : keras_norm_names) {
    if (ours == role) return file.weight(layer, theirs, parameter.shape);
  }
  throw input_error("layer '{}': no weight stands for {}", layer, role);
}

std::vector<nn::NamedTensor> read_parameters(const KerasFile& file, const KerasGraph& keras) {
  std::map<std::string, LayerKind, std::less<>> kinds;
  for (const Layer& layer : keras.graph.layers) kinds.emplace(layer.name, layer.kind);
  std::vector<nn::NamedTensor> parameters;
  for (ParameterShape& parameter : parameter_shapes(keras.graph)) {
    const std::size_t dot = parameter.name.rfind('.');
    const std::string layer = parameter.name.substr(0, dot);
    std::vector<float> values =
        kinds.at(layer) == LayerKind::batch_norm
            ? read_batch_norm(file, keras, layer, std::string_view(parameter.name).substr(dot + 1), parameter)
            : read_convolution(file, layer, parameter);
    parameters.push_back({std::move(parameter.name), std::move(parameter.shape), std::move(values)});
  }
  return parameters;
}

KerasModel read_model(const std::filesystem::path& path) {
  const KerasFile file(path);
  const bool keras3 = file.keras_version().starts_with("3.");
  KerasGraph keras = graph_from_keras(file.model_config(), !keras3);
  std::vector<nn::NamedTensor> parameters = read_parameters(file, keras);
  return {std::move(keras.graph), std::move(parameters)};
}

// The graph's JSON, a zero byte, then all values; names and shapes follow from the graph.
std::string pack(const KerasModel& model) {
  std::string bytes = to_json(model.graph) + '\0';
  for (const nn::NamedTensor& tensor : model.parameters) {
    bytes.append(reinterpret_cast<const char*>(tensor.values.data()), tensor.values.size() * sizeof(float));
  }
  return bytes;
}

KerasModel unpack(std::string_view bytes) {
  const std::size_t end = bytes.find('\0');
  KerasModel model{graph_from_json(bytes.substr(0, end)), {}};
  bytes.remove_prefix(end + 1);
  for (ParameterShape& parameter : parameter_shapes(model.graph)) {
    std::size_t count = 1;
    for (const std::int64_t size : parameter.shape) count *= static_cast<std::size_t>(size);
    std::vector<float> values(count);
    std::memcpy(values.data(), bytes.data(), count * sizeof(float));
    bytes.remove_prefix(count * sizeof(float));
    model.parameters.push_back({std::move(parameter.name), std::move(parameter.shape), std::move(values)});
  }
  return model;
}

}  // namespace

KerasModel read_keras_h5(const std::filesystem::path& path) {
  try {
    // HDF5 follows some damaged references unchecked (1.10: variable-length text, H5HG_read), loops on others, prints
    // its error stack, and complains again at exit about what it could not close. A child keeps all that from us.
    return unpack(run_in_child([&] { return pack(read_model(path)); }));
  } catch (const Error& error) {
    throw Error(error.kind(), path.string() + ": " + error.what());
  }
}

}  // namespace plume::unet
