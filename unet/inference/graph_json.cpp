// A layer graph as JSON text with stable, readable keys, and back.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <initializer_list>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "kernels/base/error.hpp"
#include "nn/strict_json.hpp"
#include "unet/inference/graph.hpp"

namespace plume::unet {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr std::string_view format_name = "plume-graph-1";

constexpr std::array<std::pair<LayerKind, std::string_view>, 10> kind_names{{
    {LayerKind::conv2d, "conv2d"},
    {LayerKind::conv_transpose2d, "conv_transpose2d"},
    {LayerKind::batch_norm, "batch_norm"},
    {LayerKind::relu, "relu"},
    {LayerKind::max_pool, "max_pool"},
    {LayerKind::upsample_nearest, "upsample_nearest"},
    {LayerKind::upsample_bilinear, "upsample_bilinear"},
    {LayerKind::upsample_aligned, "upsample_aligned"},
    {LayerKind::concat, "concat"},
    {LayerKind::add, "add"},
}};

constexpr std::array<std::pair<Activation, std::string_view>, 2> activation_names{{
    {Activation::sigmoid, "sigmoid"},
    {Activation::softmax, "softmax"},
}};

template <class Names, class Value>
std::string_view name_of(const Names& names, Value value) {
  for (const auto& [candidate, name] : names) {
    if (candidate == value) return name;
  }
  throw input_error("a value outside its enumeration");
}

bool is_convolution(LayerKind kind) {
  return kind == LayerKind::conv2d || kind == LayerKind::conv_transpose2d;
}

// The double whose shortest decimal form is the float's, so that 1e-5F reads 1e-05 and not 9.999999747378752e-06.
double shortest(float value) {
  const double decimal = std::strtod(fmt::format("{}", value).c_str(), nullptr);
  return static_cast<float>(decimal) == value ? decimal : static_cast<double>(value);
}

ordered_json shortest(const std::vector<float>& values) {
  ordered_json list = ordered_json::array();
  for (const float value : values) list.push_back(shortest(value));
  return list;
}

ordered_json layer_to_json(const Layer& layer) {
  ordered_json object{{"name", layer.name}, {"kind", name_of(kind_names, layer.kind)}, {"inputs", layer.inputs}};
  if (is_convolution(layer.kind)) {
    object["channels"] = layer.channels;
    object["kernel"] = layer.kernel;
    object["stride"] = layer.stride;
    object["pad"] = layer.pad;
    object["bias"] = layer.bias;
  }
  if (layer.kind == LayerKind::batch_norm) {
    object["epsilon"] = shortest(layer.epsilon);
    object["momentum"] = shortest(layer.momentum);
    object["unbiased_variance"] = layer.unbiased_variance;
  }
  return object;
}

// One JSON object being read; says which key is wrong, and refuses keys that nothing asked for.
class Reader {
 public:
  explicit Reader(const json& object) : object_(object) {
    if (!object.is_object()) throw input_error("is not a JSON object");
  }

  void allow_only(std::initializer_list<std::string_view> keys) const {
    for (const auto& [key, value] : object_.items()) {
      if (std::find(keys.begin(), keys.end(), key) == keys.end()) {
        throw input_error("has an unknown key '{}' (known: {})", key, fmt::join(keys, ", "));
      }
    }
  }

  [[nodiscard]] bool has(const char* key) const { return object_.contains(key); }

  [[nodiscard]] const json& at(const char* key) const {
    const auto found = object_.find(key);
    if (found == object_.end()) throw input_error("lacks the key '{}'", key);
    return *found;
  }

  [[nodiscard]] std::string text(const char* key) const {
    if (!at(key).is_string()) throw wrong(key, "text");
    return at(key).get<std::string>();
  }
  [[nodiscard]] bool boolean(const char* key) const {
    if (!at(key).is_boolean()) throw wrong(key, "true or false");
    return at(key).get<bool>();
  }
  [[nodiscard]] int integer(const char* key) const { return to_int(key, at(key)); }
  [[nodiscard]] float real(const char* key) const { return to_float(key, at(key)); }

  [[nodiscard]] const json& list(const char* key) const {
    if (!at(key).is_array()) throw wrong(key, "a list");
    return at(key);
  }
  [[nodiscard]] std::vector<float> reals(const char* key) const {
    std::vector<float> values;
    for (const json& value : list(key)) values.push_back(to_float(key, value));
    return values;
  }
  [[nodiscard]] std::vector<std::string> texts(const char* key) const {
    std::vector<std::string> values;
    for (const json& value : list(key)) {
      if (!value.is_string()) throw wrong(key, "a list of text");
      values.push_back(value.get<std::string>());
    }
    return values;
  }
  [[nodiscard]] std::array<int, 4> pad(const char* key) const {
    if (list(key).size() != 4) throw wrong(key, "[top, left, bottom, right]");
    std::array<int, 4> values{};
    for (std::size_t i = 0; i < 4; ++i) values[i] = to_int(key, at(key)[i]);
    return values;
  }
  template <class Value, std::size_t N>
  [[nodiscard]] Value choice(const char* key, const std::array<std::pair<Value, std::string_view>, N>& names) const {
    const std::string given = text(key);
    std::vector<std::string_view> known;
    for (const auto& [value, name] : names) {
      if (name == given) return value;
      known.push_back(name);
    }
    throw input_error("has an unknown {} '{}' (known: {})", key, given, fmt::join(known, ", "));
  }

 private:
  static Error wrong(const char* key, std::string_view wanted) {
    return input_error("has a value under '{}' that is not {}", key, wanted);
  }
  static int to_int(const char* key, const json& value) {
    const std::optional<int> number = nn::as_int(value);
    if (!number) throw wrong(key, "a whole number of moderate size");
    return *number;
  }
  static float to_float(const char* key, const json& value) {
    if (!value.is_number() || std::abs(value.get<double>()) > double{std::numeric_limits<float>::max()}) {
      throw wrong(key, "a number that a float holds");
    }
    return value.get<float>();
  }

  const json& object_;
};

void read_convolution(const Reader& reader, Layer& layer) {
  reader.allow_only({"name", "kind", "inputs", "channels", "kernel", "stride", "pad", "bias"});
  layer.channels = reader.integer("channels");
  layer.kernel = reader.integer("kernel");
  if (reader.has("stride")) layer.stride = reader.integer("stride");
  if (reader.has("pad")) layer.pad = reader.pad("pad");
  if (reader.has("bias")) layer.bias = reader.boolean("bias");
}

void read_batch_norm(const Reader& reader, Layer& layer) {
  reader.allow_only({"name", "kind", "inputs", "epsilon", "momentum", "unbiased_variance"});
  if (reader.has("epsilon")) layer.epsilon = reader.real("epsilon");
  if (reader.has("momentum")) layer.momentum = reader.real("momentum");
  if (reader.has("unbiased_variance")) layer.unbiased_variance = reader.boolean("unbiased_variance");
}

Layer layer_from_json(const json& object) {
  const Reader reader(object);
  Layer layer;
  layer.name = reader.text("name");
  try {
    layer.kind = reader.choice("kind", kind_names);
    layer.inputs = reader.texts("inputs");
    if (is_convolution(layer.kind)) {
      read_convolution(reader, layer);
    } else if (layer.kind == LayerKind::batch_norm) {
      read_batch_norm(reader, layer);
    } else {
      reader.allow_only({"name", "kind", "inputs"});
    }
  } catch (const Error& error) {
    throw input_error("layer '{}' {}", layer.name, error.what());
  }
  return layer;
}

InputSpec input_from_json(const json& object) {
  const Reader reader(object);
  reader.allow_only({"bands", "mean", "std"});
  InputSpec input;
  input.bands = reader.integer("bands");
  if (reader.has("mean")) input.mean = reader.reals("mean");
  if (reader.has("std")) input.std = reader.reals("std");
  return input;
}

}  // namespace

std::string to_json(const Graph& graph) {
  ordered_json input{{"bands", graph.input.bands}};
  if (!graph.input.mean.empty()) input["mean"] = shortest(graph.input.mean);
  if (!graph.input.std.empty()) input["std"] = shortest(graph.input.std);
  ordered_json layers = ordered_json::array();
  for (const Layer& layer : graph.layers) layers.push_back(layer_to_json(layer));
  ordered_json object{{"format", format_name},
                      {"input", std::move(input)},
                      {"activation", name_of(activation_names, graph.activation)},
                      {"classes", graph.classes},
                      {"layers", std::move(layers)}};
  if (!graph.heads.empty()) object["heads"] = graph.heads;
  return object.dump();
}

Graph graph_from_json(std::string_view text) {
  try {
    const json object = nn::parse_strict_json(text);
    const Reader reader(object);
    if (reader.text("format") != format_name) {
      throw input_error("has the format '{}', not '{}'", reader.text("format"), format_name);
    }
    reader.allow_only({"format", "input", "activation", "classes", "layers", "heads"});
    Graph graph;
    graph.input = input_from_json(reader.at("input"));
    graph.activation = reader.choice("activation", activation_names);
    graph.classes = reader.integer("classes");
    for (const json& layer : reader.list("layers")) graph.layers.push_back(layer_from_json(layer));
    if (reader.has("heads")) graph.heads = reader.texts("heads");
    validate(graph);
    return graph;
  } catch (const Error& error) {
    throw input_error("network graph: {}", error.what());
  }
}

}  // namespace plume::unet
