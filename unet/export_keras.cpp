// A layer is a Keras layer; the activation behind the last is one more.
#include "unet/export_keras.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "kernels/base/error.hpp"
#include "unet/inference/model_file.hpp"
#include "unet/keras_h5_write.hpp"
#include "unet/keras_names.hpp"

namespace plume::unet {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* image = "image";
constexpr const char* scaling = "input.scaling";
constexpr const char* probability = "probability";
constexpr float scaling_epsilon = 1e-3F;  // Keras's own; variances are less by it

class KerasModelWriter {
 public:
  explicit KerasModelWriter(const Network& network) : network_(network) {}

  KerasFileContent write() {
    const Graph& graph = network_.graph();
    add("InputLayer", image, {},
        {{"batch_input_shape", {nullptr, nullptr, nullptr, graph.input.bands}}, {"dtype", "float32"}});
    if (!graph.input.mean.empty() || !graph.input.std.empty()) scale(graph.input);
    for (const Layer& layer : graph.layers) {
      try {
        write(layer);
      } catch (const Error& error) {
        throw input_error("layer '{}' {}", layer.name, error.what());
      }
    }
    add("Activation", probability, {graph.layers.back().name},
        {{"activation", graph.activation == Activation::sigmoid ? "sigmoid" : "softmax"}});
    const Json model{{"class_name", "Functional"},
                     {"config",
                      {{"name", "plume"},
                       {"layers", layers_},
                       {"input_layers", {{image, 0, 0}}},
                       {"output_layers", {{probability, 0, 0}}}}}};
    content_.model_config = model.dump();
    content_.keras_version = version();
    return std::move(content_);
  }

 private:
  void add(const char* class_name, const std::string& name, const std::vector<std::string>& inputs, Json config) {
    config["name"] = name;
    Json nodes = Json::array();
    if (!inputs.empty()) {
      Json node = Json::array();
      for (const std::string& input : inputs)
        node.push_back({input == "input" ? network_input_ : input, 0, 0, Json::object()});
      nodes.push_back(std::move(node));
    }
    layers_.push_back(
        {{"class_name", class_name}, {"config", std::move(config)}, {"name", name}, {"inbound_nodes", nodes}});
    content_.layers.push_back(name);
  }

  void weight(const std::string& layer, std::string_view name, std::vector<std::int64_t> shape,
              std::vector<float> values) {
    content_.weights.push_back({layer, fmt::format("{}/{}:0", layer, name), std::move(shape), std::move(values)});
  }

  void batch_norm(const std::string& name, const std::string& input, float epsilon, float momentum, bool trainable) {
    add("BatchNormalization", name, {input},
        {{"axis", {3}},
         {"momentum", 1.0 - static_cast<double>(momentum)},
         {"epsilon", static_cast<double>(epsilon)},
         {"center", true},
         {"scale", true},
         {"trainable", trainable}});
  }

  // (pixel - mean) / std as a normalisation whose statistics stay as they are.
  void scale(const InputSpec& input) {
    const auto bands = static_cast<std::size_t>(input.bands);
    batch_norm(scaling, image, scaling_epsilon, 0, false);
    std::vector<float> factors(bands, 1.0F);
    for (std::size_t i = 0; i < input.std.size(); ++i) factors[i] = 1 / input.std[i];
    const std::vector<std::int64_t> shape{input.bands};
    weight(scaling, "gamma", shape, factors);
    weight(scaling, "beta", shape, std::vector<float>(bands, 0.0F));
    weight(scaling, "moving_mean", shape, input.mean.empty() ? std::vector<float>(bands, 0.0F) : input.mean);
    weight(scaling, "moving_variance", shape, std::vector<float>(bands, 1 - scaling_epsilon));
    network_input_ = scaling;
  }

  void write(const Layer& layer) {
    switch (layer.kind) {
      case LayerKind::conv2d: return convolution("Conv2D", layer);
      case LayerKind::conv_transpose2d: return convolution("Conv2DTranspose", layer);
      case LayerKind::batch_norm: {
        batch_norm(layer.name, layer.inputs.front(), layer.epsilon, layer.momentum, true);
        for (const auto& [ours, theirs] : keras_norm_names) {
          nn::NamedTensor values = parameter(layer, ours);
          weight(layer.name, theirs, std::move(values.shape), std::move(values.values));
        }
        return;
      }
      case LayerKind::relu: return add("Activation", layer.name, layer.inputs, {{"activation", "relu"}});
      case LayerKind::max_pool:
        return add("MaxPooling2D", layer.name, layer.inputs,
                   {{"pool_size", {2, 2}}, {"strides", {2, 2}}, {"padding", "valid"}});
      case LayerKind::upsample_nearest:
      case LayerKind::upsample_bilinear:
        return add(
            "UpSampling2D", layer.name, layer.inputs,
            {{"size", {2, 2}}, {"interpolation", layer.kind == LayerKind::upsample_nearest ? "nearest" : "bilinear"}});
      case LayerKind::upsample_aligned: throw input_error("aligns corners, for which Keras has no layer");
      case LayerKind::concat: return add("Concatenate", layer.name, layer.inputs, {{"axis", 3}});
      case LayerKind::add: return add("Add", layer.name, layer.inputs, Json::object());
    }
  }

  void convolution(const char* class_name, const Layer& layer) {
    add(class_name, layer.name, layer.inputs,
        {{"filters", layer.channels},
         {"kernel_size", {layer.kernel, layer.kernel}},
         {"strides", {layer.stride, layer.stride}},
         {"padding", padding(layer)},
         {"data_format", "channels_last"},
         {"dilation_rate", {1, 1}},
         {"activation", "linear"},
         {"use_bias", layer.bias}});
    const nn::NamedTensor kernel = parameter(layer, "weight");
    const auto& shape = kernel.shape;
    weight(layer.name, "kernel", {shape[2], shape[3], shape[1], shape[0]}, to_keras_kernel(kernel.values, shape));
    if (!layer.bias) return;
    nn::NamedTensor bias = parameter(layer, "bias");
    weight(layer.name, "bias", std::move(bias.shape), std::move(bias.values));
  }

  static const char* padding(const Layer& layer) {
    if (layer.pad == std::array<int, 4>{}) return "valid";
    if (layer.pad == keras_same_padding(layer.kernel, layer.stride)) return "same";
    throw input_error("is padded as Keras cannot");
  }

  [[nodiscard]] nn::NamedTensor parameter(const Layer& layer, std::string_view role) const {
    const nn::Parameters& parameters = network_.parameters();
    return parameters.to_named(*parameters.find(fmt::format("{}.{}", layer.name, role)));
  }

  // Keras 3 feeds its running variance otherwise than the ones before.
  [[nodiscard]] const char* version() const {
    const auto& layers = network_.graph().layers;
    const bool keras3 = std::any_of(layers.begin(), layers.end(), [](const Layer& layer) {
      return layer.kind == LayerKind::batch_norm && !layer.unbiased_variance;
    });
    return keras3 ? "3.0.0" : "2.15.0";
  }

  const Network& network_;
  std::string network_input_ = image;
  Json layers_ = Json::array();
  KerasFileContent content_;
};

}  // namespace

std::vector<std::byte> export_keras(const std::filesystem::path& model) {
  const Network network = load_model(model);
  return with_context(model.string(), [&] { return encode_keras_h5(KerasModelWriter(network).write()); });
}

}  // namespace plume::unet
