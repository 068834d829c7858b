// Reads the three ways in which Keras has written layers and their wiring.
#include "unet/keras_layers.hpp"

#include <optional>
#include <utility>

#include "kernels/base/error.hpp"
#include "nn/strict_json.hpp"

namespace plume::unet {
namespace {

using nlohmann::json;

const json& member(const json& object, const char* key) {
  static const json absent;
  const auto found = object.find(key);  // end() for anything but an object
  return found == object.end() ? absent : *found;
}

std::string text_member(const json& object, const char* key) {
  const json& value = member(object, key);
  return value.is_string() ? value.get<std::string>() : std::string();
}

const json& list_member(const json& object, const char* key) {
  const json& value = member(object, key);
  if (!value.is_array()) throw input_error("model_config lacks the list \"{}\"", key);
  return value;
}

// Keras 2 writes ["layer", node, tensor, {...}], with no dictionary for a model's inputs and outputs.
bool is_reference(const json& value) {
  return value.is_array() && value.size() >= 3 && value[0].is_string() && value[1].is_number() && value[2].is_number();
}

// Collects the layers that an entry refers to, in order. Lists nest; Keras 3 wraps references in
// {"args": [{"class_name": "__keras_tensor__", "config": {"keras_history": reference}}]}.
void collect_references(const json& value, std::vector<std::string>& names) {
  if (is_reference(value)) {
    if (value[1] != 0 || value[2] != 0) {
      throw input_error("takes output {}:{} of '{}'; layers used twice or with several outputs are not supported",
                        value[1].dump(), value[2].dump(), value[0].get<std::string>());
    }
    names.push_back(value[0].get<std::string>());
  } else if (value.is_array()) {
    for (const json& element : value) collect_references(element, names);  // depth is bounded by parse_strict_json
  } else if (value.is_object()) {
    collect_references(member(value, "args"), names);
    collect_references(member(member(value, "config"), "keras_history"), names);
  }
}

std::string single_reference(const json& model, const char* key) {
  std::vector<std::string> names;
  collect_references(list_member(model, key), names);
  if (names.size() != 1) throw input_error("model has {} {}, not one", names.size(), key);
  return names[0];
}

KerasLayer read_layer(const json& entry) {
  KerasLayer layer;
  layer.class_name = text_member(entry, "class_name");
  layer.config = member(entry, "config");
  layer.name = text_member(layer.config, "name");
  if (layer.class_name.empty() || layer.name.empty()) throw input_error("model_config holds a layer without a name");
  return layer;
}

KerasLayers list_functional(const json& model) {
  KerasLayers result;
  for (const json& entry : list_member(model, "layers")) {
    KerasLayer layer = read_layer(entry);
    try {
      const json& nodes = list_member(entry, "inbound_nodes");
      if (nodes.size() > 1) throw input_error("is used {} times; shared layers are not supported", nodes.size());
      collect_references(nodes, layer.inputs);
    } catch (const Error& error) {
      throw input_error("layer '{}' ({}) {}", layer.name, layer.class_name, error.what());
    }
    result.layers.push_back(std::move(layer));
  }
  static_cast<void>(single_reference(model, "input_layers"));
  result.output = single_reference(model, "output_layers");
  return result;
}

// Where a Sequential model states its input's shape, if not in an InputLayer.
json sequential_input_shape(const json& model, const KerasLayer& first) {
  for (const json* shape :
       {&first.at("batch_input_shape"), &first.at("batch_shape"), &member(model, "build_input_shape")}) {
    if (shape->is_array()) return *shape;
  }
  throw input_error("the Sequential model states no input shape");
}

KerasLayers list_sequential(const json& model) {
  KerasLayers result;
  // The first versions wrote the list of layers alone.
  for (const json& entry : model.is_array() ? model : list_member(model, "layers")) {
    KerasLayer layer = read_layer(entry);
    if (result.layers.empty() && layer.class_name != "InputLayer") {
      KerasLayer input{.name = "input", .class_name = "InputLayer", .inputs = {}, .config = json::object()};
      input.config["batch_shape"] = sequential_input_shape(model, layer);
      result.layers.push_back(std::move(input));
    }
    if (!result.layers.empty()) layer.inputs.push_back(result.layers.back().name);
    result.layers.push_back(std::move(layer));
  }
  if (result.layers.empty()) throw input_error("the Sequential model has no layers");
  result.output = result.layers.back().name;
  return result;
}

Error wrong(const char* key, const json& value, std::string_view wanted) {
  return input_error("has {} = {}, not {}", key, value.dump(), wanted);
}

}  // namespace

const json& KerasLayer::at(const char* key) const {
  return member(config, key);
}

std::string KerasLayer::text(const char* key, std::string_view otherwise) const {
  const json& value = at(key);
  if (value.is_null()) return std::string(otherwise);
  if (!value.is_string()) throw wrong(key, value, "text");
  return value.get<std::string>();
}

bool KerasLayer::flag(const char* key, bool otherwise) const {
  const json& value = at(key);
  if (value.is_null()) return otherwise;
  if (!value.is_boolean()) throw wrong(key, value, "true or false");
  return value.get<bool>();
}

double KerasLayer::real(const char* key) const {
  const json& value = at(key);
  if (!value.is_number()) throw wrong(key, value, "a number");
  return value.get<double>();
}

int KerasLayer::integer(const char* key) const {
  const json& value = at(key);
  const std::optional<int> number = nn::as_int(value);
  if (!number) throw wrong(key, value, "a whole number");
  return *number;
}

int KerasLayer::square(const char* key) const {
  const json& value = at(key);
  const bool pair = value.is_array() && value.size() == 2 && value[0] == value[1];
  const std::optional<int> side = nn::as_int(pair ? value[0] : value);
  if (!side) throw wrong(key, value, "a square");
  return *side;
}

bool KerasLayer::is_channel_axis(const char* key) const {
  const json& value = at(key);
  const json& axis = value.is_array() && value.size() == 1 ? value[0] : value;
  return axis == 3 || axis == -1;
}

void KerasLayer::require(const char* key, const json& only) const {
  const json& value = at(key);
  if (!value.is_null() && value != only) throw wrong(key, value, only.dump());
}

KerasLayers list_keras_layers(std::string_view model_config) {
  const json root = nn::parse_strict_json(model_config);
  const std::string class_name = text_member(root, "class_name");
  const json& model = member(root, "config");
  if (class_name == "Sequential") return list_sequential(model);
  if (class_name == "Model" || class_name == "Functional") return list_functional(model);
  throw input_error("the model is a {}; Functional and Sequential models are supported",
                    class_name.empty() ? "mystery (no class_name)" : "'" + class_name + "'");
}

}  // namespace plume::unet
