// Writes what keras_h5.hpp reads: the text of a layer graph, and weights by layer and name.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace plume::unet {

// In Keras's layout, as Keras names it: layer "stem", name "stem/kernel:0".
struct KerasWeight {
  std::string layer;
  std::string name;
  std::vector<std::int64_t> shape;
  std::vector<float> values;
};

struct KerasFileContent {
  std::string model_config;            // JSON
  std::string keras_version;           // whose notation that is
  std::vector<std::string> layers;     // all, in order
  std::vector<KerasWeight> weights{};  // of each layer in the order that Keras expects; neighbours are of one layer
};

// The bytes of an HDF5 file as tf.keras's hdf5_format.py writes it; the same for the same content. Throws
// environment_error where HDF5 fails.
[[nodiscard]] std::vector<std::byte> encode_keras_h5(const KerasFileContent& content);

}  // namespace plume::unet
