// Puts a layer graph in Keras's notation together, and rewrites text as other versions of h5py kept it.
#include "keras_writer.hpp"

#include <hdf5.h>

#include <algorithm>
#include <utility>

#include "scratch_folder.hpp"

namespace plume::tests {
namespace {

void replace_by_fixed_length(hid_t object, const char* name, const std::string& text) {
  H5Adelete(object, name);
  const hid_t type = H5Tcopy(H5T_C_S1);
  H5Tset_size(type, text.size());
  const hid_t space = H5Screate(H5S_SCALAR);
  const hid_t attribute = H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
  H5Awrite(attribute, type, text.c_str());
  H5Aclose(attribute);
  H5Sclose(space);
  H5Tclose(type);
}

}  // namespace

void write_keras_h5(const std::filesystem::path& path, const KerasFileContent& content) {
  unet::KerasFileContent file{content.model_config, content.keras_version, {}, content.weights};
  for (const KerasWeight& weight : content.weights) {
    if (std::ranges::find(file.layers, weight.layer) == file.layers.end()) file.layers.push_back(weight.layer);
  }
  const std::vector<std::byte> bytes = unet::encode_keras_h5(file);
  write_file(path, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  if (!content.fixed_length_text) return;
  const hid_t open = H5Fopen(path.c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
  replace_by_fixed_length(open, "keras_version", content.keras_version);
  replace_by_fixed_length(open, "model_config", content.model_config);
  H5Fclose(open);
}

KerasModelConfig& KerasModelConfig::add(const std::string& class_name, const std::string& name,
                                        const std::vector<std::string>& inputs, nlohmann::json config) {
  config["name"] = name;
  nlohmann::json node = nlohmann::json::array();
  for (const std::string& input : inputs) node.push_back({input, 0, 0, nlohmann::json::object()});
  nlohmann::json nodes = nlohmann::json::array();
  if (!inputs.empty()) nodes.push_back(std::move(node));
  layers_.push_back(
      {{"class_name", class_name}, {"config", std::move(config)}, {"name", name}, {"inbound_nodes", nodes}});
  return *this;
}

KerasModelConfig& KerasModelConfig::input(int bands) {
  return add("InputLayer", "image", {}, {{"batch_input_shape", {nullptr, 64, 64, bands}}, {"dtype", "float32"}});
}

KerasModelConfig& KerasModelConfig::conv(const std::string& name, const std::string& input, int filters, int kernel,
                                         const std::string& activation, nlohmann::json config) {
  const nlohmann::json defaults{{"filters", filters},
                                {"kernel_size", {kernel, kernel}},
                                {"strides", {1, 1}},
                                {"padding", "same"},
                                {"data_format", "channels_last"},
                                {"dilation_rate", {1, 1}},
                                {"activation", activation},
                                {"use_bias", true}};
  for (const auto& [key, value] : defaults.items()) config.emplace(key, value);
  const bool transposed = config.contains("output_padding");
  return add(transposed ? "Conv2DTranspose" : "Conv2D", name, {input}, std::move(config));
}

KerasModelConfig& KerasModelConfig::batch_norm(const std::string& name, const std::string& input,
                                               nlohmann::json config) {
  const nlohmann::json defaults{
      {"axis", {3}}, {"momentum", 0.99}, {"epsilon", 1e-3}, {"scale", true}, {"center", true}};
  for (const auto& [key, value] : defaults.items()) config.emplace(key, value);
  return add("BatchNormalization", name, {input}, std::move(config));
}

nlohmann::json KerasModelConfig::json(const std::string& output) const {
  return {{"class_name", "Functional"},
          {"config",
           {{"name", "model"},
            {"layers", layers_},
            {"input_layers", {{"image", 0, 0}}},
            {"output_layers", {{output, 0, 0}}}}}};
}

}  // namespace plume::tests
