// Small Keras model files, for the tests of the import.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "unet/keras_h5_write.hpp"

namespace plume::tests {

using unet::KerasWeight;

struct KerasFileContent {
  std::string model_config;
  std::string keras_version = "2.11.0";
  std::vector<KerasWeight> weights;
  bool fixed_length_text = false;  // NumPy byte strings instead of h5py's variable-length ones
};

void write_keras_h5(const std::filesystem::path& path, const KerasFileContent& content);

// A Functional model's layers, in Keras 2's notation.
class KerasModelConfig {
 public:
  KerasModelConfig& add(const std::string& class_name, const std::string& name, const std::vector<std::string>& inputs,
                        nlohmann::json config = nlohmann::json::object());
  KerasModelConfig& input(int bands);
  KerasModelConfig& conv(const std::string& name, const std::string& input, int filters, int kernel,
                         const std::string& activation, nlohmann::json config = nlohmann::json::object());
  KerasModelConfig& batch_norm(const std::string& name, const std::string& input,
                               nlohmann::json config = nlohmann::json::object());
  [[nodiscard]] nlohmann::json json(const std::string& output) const;
  [[nodiscard]] std::string text(const std::string& output) const { return json(output).dump(); }

 private:
  nlohmann::json layers_ = nlohmann::json::array();
};

}  // namespace plume::tests
