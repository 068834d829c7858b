// The structure of tf.keras's hdf5_format.py: text attributes at the root, one group of datasets per layer.
#include "keras_writer.hpp"

#include <algorithm>
#include <map>
#include <utility>

namespace plume::tests {
namespace {

void write_text(hid_t object, const char* name, const std::string& text, bool fixed_length) {
  const hid_t type = H5Tcopy(H5T_C_S1);
  H5Tset_size(type, fixed_length ? text.size() : H5T_VARIABLE);
  const hid_t space = H5Screate(H5S_SCALAR);
  const hid_t attribute = H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
  const char* pointer = text.c_str();
  H5Awrite(attribute, type, fixed_length ? static_cast<const void*>(pointer) : &pointer);
  H5Aclose(attribute);
  H5Sclose(space);
  H5Tclose(type);
}

void write_text_list(hid_t object, const char* name, const std::vector<std::string>& texts) {
  std::size_t length = 1;
  for (const std::string& text : texts) length = std::max(length, text.size());
  std::string bytes;
  for (std::string text : texts) {
    text.resize(length, '\0');
    bytes += text;
  }
  const hid_t type = H5Tcopy(H5T_C_S1);
  H5Tset_size(type, length);
  H5Tset_strpad(type, H5T_STR_NULLPAD);
  const hsize_t count = texts.size();
  const hid_t space = H5Screate_simple(1, &count, nullptr);
  const hid_t attribute = H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
  H5Awrite(attribute, type, bytes.data());
  H5Aclose(attribute);
  H5Sclose(space);
  H5Tclose(type);
}

void write_dataset(hid_t group, const KerasWeight& weight, hid_t link_options) {
  const hid_t space = H5Screate_simple(static_cast<int>(weight.shape.size()), weight.shape.data(), nullptr);
  const hid_t dataset =
      H5Dcreate2(group, weight.name.c_str(), H5T_IEEE_F32LE, space, link_options, H5P_DEFAULT, H5P_DEFAULT);
  H5Dwrite(dataset, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, weight.values.data());
  H5Dclose(dataset);
  H5Sclose(space);
}

}  // namespace

void write_keras_h5(const std::filesystem::path& path, const KerasFileContent& content) {
  const hid_t file = H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  write_text(file, "keras_version", content.keras_version, content.fixed_length_text);
  write_text(file, "model_config", content.model_config, content.fixed_length_text);
  const hid_t root = H5Gcreate2(file, "model_weights", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  const hid_t link_options = H5Pcreate(H5P_LINK_CREATE);  // names may hold slashes
  H5Pset_create_intermediate_group(link_options, 1);
  std::map<std::string, std::vector<const KerasWeight*>> by_layer;
  for (const KerasWeight& weight : content.weights) by_layer[weight.layer].push_back(&weight);
  for (const auto& [layer, weights] : by_layer) {
    const hid_t group = H5Gcreate2(root, layer.c_str(), link_options, H5P_DEFAULT, H5P_DEFAULT);
    std::vector<std::string> names;
    for (const KerasWeight* weight : weights) {
      write_dataset(group, *weight, link_options);
      names.push_back(weight->name);
    }
    write_text_list(group, "weight_names", names);
    H5Gclose(group);
  }
  H5Pclose(link_options);
  H5Gclose(root);
  H5Fclose(file);
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
