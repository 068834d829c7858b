// The layers of a Keras model_config as a plain list: name, class, attributes and inputs, whatever Keras wrote them.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace plume::unet {

// One layer and its attributes ("config"). The accessors throw input_error saying which attribute is wrong.
struct KerasLayer {
  std::string name;
  std::string class_name;
  std::vector<std::string> inputs;  // names of earlier layers; none for an InputLayer
  nlohmann::json config;

  // Null where the attribute is absent.
  [[nodiscard]] const nlohmann::json& at(const char* key) const;
  [[nodiscard]] std::string text(const char* key, std::string_view otherwise) const;
  [[nodiscard]] bool flag(const char* key, bool otherwise) const;
  [[nodiscard]] double real(const char* key) const;
  [[nodiscard]] int integer(const char* key) const;
  // A number, or a pair of equal ones: [3, 3] is 3.
  [[nodiscard]] int square(const char* key) const;
  // The channel axis of a tensor (batch, height, width, channels), written as 3, -1 or a list of one of them.
  [[nodiscard]] bool is_channel_axis(const char* key) const;

  // Throws where an attribute is given and differs from the one value that is supported.
  void require(const char* key, const nlohmann::json& only) const;
};

struct KerasLayers {
  std::vector<KerasLayer> layers;  // in the file's order, which Keras keeps topological
  std::string output;              // name of the layer whose output is the model's
};

// Functional (Keras 2 and 3) or Sequential, where an InputLayer named "input" is added if none is written. Throws
// input_error for anything else: several inputs or outputs, shared layers, subclassed models.
[[nodiscard]] KerasLayers list_keras_layers(std::string_view model_config);

}  // namespace plume::unet
