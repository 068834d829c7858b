// Translates Keras layers to ours one by one, refusing whatever would not compute the same.
#include "unet/keras_config.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "kernels/base/error.hpp"
#include "nn/strict_json.hpp"
#include "unet/keras_layers.hpp"
#include "unet/keras_names.hpp"

namespace plume::unet {
namespace {

// What stands for a Keras layer's output in our graph.
struct Value {
  std::string name;  // our layer, or "input"
  std::int64_t channels = 0;
  std::optional<Activation> activation;  // the sigmoid or softmax that Keras applies and our graph leaves to its end
};

// See import_keras.hpp, "Padding": {top, left, bottom, right} for sizes that the stride divides.
std::array<int, 4> padding(const KerasLayer& layer, int kernel, int stride) {
  const std::string rule = layer.text("padding", "valid");
  if (rule == "valid") return {0, 0, 0, 0};
  if (rule != "same") throw input_error("has padding '{}'; 'same' and 'valid' are supported", rule);
  return keras_same_padding(kernel, stride);
}

class Translator {
 public:
  explicit Translator(bool unbiased_variance) : unbiased_variance_(unbiased_variance) {}

  void translate(const KerasLayer& layer) {
    const auto handler = handlers().find(layer.class_name);
    if (handler == handlers().end()) {
      std::vector<std::string_view> known;
      for (const auto& [name, function] : handlers()) known.push_back(name);
      throw input_error("is of a class that is not supported (supported: {})", fmt::join(known, ", "));
    }
    if (values_.contains(layer.name)) throw input_error("has a name used before");
    (this->*handler->second)(layer);
  }

  KerasGraph finish(const std::string& output_name) {
    const Value output = find(output_name);
    Graph& graph = result_.graph;
    if (graph.layers.empty() || output.name != graph.layers.back().name) {
      throw input_error("the model's output '{}' is not its last layer", output_name);
    }
    if (graph.layers.back().kind == LayerKind::relu) {
      throw input_error("the model's output '{}' is a relu; sigmoid, softmax and linear are supported", output_name);
    }
    graph.classes = static_cast<int>(output.channels);
    graph.activation = output.activation.value_or(output.channels == 1 ? Activation::sigmoid : Activation::softmax);
    validate(graph);
    return std::move(result_);
  }

 private:
  using Handler = void (Translator::*)(const KerasLayer&);

  static const std::map<std::string_view, Handler>& handlers() {
    static const std::map<std::string_view, Handler> table{
        {"InputLayer", &Translator::input},
        {"Conv2D", &Translator::conv2d},
        {"Conv2DTranspose", &Translator::conv2d_transpose},
        {"BatchNormalization", &Translator::batch_normalization},
        {"MaxPooling2D", &Translator::max_pooling},
        {"UpSampling2D", &Translator::up_sampling},
        {"Concatenate", &Translator::concatenate},
        {"Add", &Translator::add},
        {"Activation", &Translator::activation},
        {"ReLU", &Translator::relu},
        {"Softmax", &Translator::softmax},
        {"Dropout", &Translator::identity},
        {"SpatialDropout2D", &Translator::identity},
    };
    return table;
  }

  void input(const KerasLayer& layer) {
    if (result_.graph.input.bands != 0) throw input_error("is a second input; one is supported");
    const auto& old_shape = layer.at("batch_input_shape");
    const auto& shape = old_shape.is_null() ? layer.at("batch_shape") : old_shape;
    const bool image = shape.is_array() && shape.size() == 4;
    const std::optional<int> bands = image ? nn::as_int(shape[3]) : std::nullopt;
    if (!bands) throw input_error("has shape {}, not [batch, height, width, bands]", shape.dump());
    result_.graph.input.bands = *bands;
    define(layer, {"input", result_.graph.input.bands, {}});
  }

  void conv2d(const KerasLayer& layer) {
    layer.require("groups", 1);
    convolution(layer, LayerKind::conv2d);
  }

  void conv2d_transpose(const KerasLayer& layer) {
    layer.require("output_padding", nullptr);
    convolution(layer, LayerKind::conv_transpose2d);
  }

  void convolution(const KerasLayer& layer, LayerKind kind) {
    channels_last(layer);
    if (!layer.at("dilation_rate").is_null() && layer.square("dilation_rate") != 1) {
      throw input_error("is dilated, which is not supported");
    }
    Layer& ours = append(layer, kind, single_input(layer).name);
    ours.channels = layer.integer("filters");
    ours.kernel = layer.square("kernel_size");
    ours.stride = layer.square("strides");
    ours.pad = padding(layer, ours.kernel, ours.stride);
    ours.bias = layer.flag("use_bias", true);
    activate(layer, {layer.name, ours.channels, {}}, layer.name + ".relu", layer.text("activation", "linear"));
  }

  void batch_normalization(const KerasLayer& layer) {
    if (!layer.is_channel_axis("axis")) throw input_error("normalises another axis than the channels");
    const Value in = single_input(layer);
    Layer& ours = append(layer, LayerKind::batch_norm, in.name);
    ours.epsilon = static_cast<float>(layer.real("epsilon"));
    ours.momentum = static_cast<float>(1.0 - layer.real("momentum"));
    ours.unbiased_variance = unbiased_variance_;
    if (!layer.flag("scale", true)) result_.without_scale.insert(layer.name);
    if (!layer.flag("center", true)) result_.without_center.insert(layer.name);
    define(layer, {layer.name, in.channels, {}});
  }

  void max_pooling(const KerasLayer& layer) {
    channels_last(layer);
    const int stride = layer.at("strides").is_null() ? layer.square("pool_size") : layer.square("strides");
    if (layer.square("pool_size") != 2 || stride != 2) throw input_error("pools otherwise than 2x2 with stride 2");
    static_cast<void>(padding(layer, 2, 2));  // any rule pads nothing on even sizes
    resize(layer, LayerKind::max_pool);
  }

  void up_sampling(const KerasLayer& layer) {
    channels_last(layer);
    if (layer.square("size") != 2) throw input_error("enlarges otherwise than by 2x2");
    const std::string method = layer.text("interpolation", "nearest");
    if (method != "nearest" && method != "bilinear") {
      throw input_error("has interpolation '{}'; nearest and bilinear are supported", method);
    }
    resize(layer, method == "nearest" ? LayerKind::upsample_nearest : LayerKind::upsample_bilinear);
  }

  void resize(const KerasLayer& layer, LayerKind kind) {
    const Value in = single_input(layer);
    append(layer, kind, in.name);
    define(layer, {layer.name, in.channels, {}});
  }

  void concatenate(const KerasLayer& layer) {
    if (!layer.is_channel_axis("axis")) throw input_error("joins along another axis than the channels");
    join(layer, LayerKind::concat);
  }

  void add(const KerasLayer& layer) { join(layer, LayerKind::add); }

  void join(const KerasLayer& layer, LayerKind kind) {
    Layer ours{.name = layer.name, .kind = kind, .inputs = {}};
    std::int64_t channels = 0;
    for (const std::string& name : layer.inputs) {
      const Value in = inner(name);
      ours.inputs.push_back(in.name);
      if (kind == LayerKind::concat || channels == 0) channels += in.channels;
    }
    result_.graph.layers.push_back(std::move(ours));
    define(layer, {layer.name, channels, {}});
  }

  void activation(const KerasLayer& layer) {
    activate(layer, single_input(layer), layer.name, layer.text("activation", "linear"));
  }

  void relu(const KerasLayer& layer) {
    layer.require("max_value", nullptr);
    layer.require("negative_slope", 0.0);
    layer.require("threshold", 0.0);
    activate(layer, single_input(layer), layer.name, "relu");
  }

  void softmax(const KerasLayer& layer) {
    if (!layer.at("axis").is_null() && !layer.is_channel_axis("axis")) throw input_error("is not over the channels");
    activate(layer, single_input(layer), layer.name, "softmax");
  }

  void identity(const KerasLayer& layer) { define(layer, find(only_input(layer))); }

  // Applies Keras's named activation to a value of ours; a relu becomes the layer relu_name.
  void activate(const KerasLayer& layer, Value value, const std::string& relu_name, const std::string& function) {
    if (function == "relu") {
      result_.graph.layers.push_back({.name = relu_name, .kind = LayerKind::relu, .inputs = {value.name}});
      value.name = relu_name;
    } else if (function == "sigmoid") {
      value.activation = Activation::sigmoid;
    } else if (function == "softmax") {
      value.activation = Activation::softmax;
    } else if (function != "linear") {
      throw input_error("has activation '{}'; relu, sigmoid, softmax and linear are supported", function);
    }
    define(layer, std::move(value));
  }

  Layer& append(const KerasLayer& layer, LayerKind kind, const std::string& input) {
    return result_.graph.layers.emplace_back(Layer{.name = layer.name, .kind = kind, .inputs = {input}});
  }

  static void channels_last(const KerasLayer& layer) { layer.require("data_format", "channels_last"); }

  static const std::string& only_input(const KerasLayer& layer) {
    if (layer.inputs.size() != 1) throw input_error("has {} inputs, not one", layer.inputs.size());
    return layer.inputs[0];
  }

  [[nodiscard]] const Value& find(const std::string& name) const {
    const auto found = values_.find(name);
    if (found == values_.end()) throw input_error("takes '{}', which no earlier layer is named", name);
    return found->second;
  }

  // An input that is computed with further; a sigmoid or softmax is only possible where nothing follows.
  [[nodiscard]] Value inner(const std::string& name) const {
    const Value& value = find(name);
    if (value.activation)
      throw input_error("takes '{}' after its sigmoid or softmax, possible only at the output", name);
    return value;
  }
  [[nodiscard]] Value single_input(const KerasLayer& layer) const { return inner(only_input(layer)); }

  // The bound keeps sums of channels within their type, whatever the file says.
  void define(const KerasLayer& layer, Value value) {
    if (value.channels < 1 || value.channels > max_channels) throw input_error("has {} channels", value.channels);
    values_[layer.name] = std::move(value);
  }

  static constexpr int max_channels = 1 << 16;

  bool unbiased_variance_;
  KerasGraph result_;
  std::map<std::string, Value, std::less<>> values_;
};

}  // namespace

KerasGraph graph_from_keras(std::string_view model_config, bool unbiased_variance) {
  const KerasLayers keras = list_keras_layers(model_config);
  Translator translator(unbiased_variance);
  for (const KerasLayer& layer : keras.layers) {
    try {
      translator.translate(layer);
    } catch (const Error& error) {
      throw input_error("layer '{}' ({}) {}", layer.name, layer.class_name, error.what());
    }
  }
  return translator.finish(keras.output);
}

}  // namespace plume::unet
