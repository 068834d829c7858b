// The HDF5 side of a Keras model file: the text of its layer graph, and its weights by layer and name.
// Source: tf.keras's hdf5_format.py and Keras 3's legacy_h5_format.py (the two write the same structure).
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace plume::unet {

// Everything throws input_error; messages do not name the file, the caller's do. On a damaged file HDF5 may crash or
// loop, so read_keras_h5 uses this class in a child process.
class KerasFile {
 public:
  explicit KerasFile(const std::filesystem::path& path);
  ~KerasFile();
  KerasFile(const KerasFile&) = delete;
  KerasFile& operator=(const KerasFile&) = delete;

  // The JSON in the root attribute "model_config".
  [[nodiscard]] std::string model_config() const;
  // The root attribute "keras_version", e.g. "2.2.4-tf"; empty where absent.
  [[nodiscard]] std::string keras_version() const;
  // One weight of a layer, e.g. "kernel" or "moving_mean", in Keras's layout. The shape must be the one expected and
  // all values finite.
  [[nodiscard]] std::vector<float> weight(const std::string& layer, std::string_view name,
                                          const std::vector<std::int64_t>& shape) const;

 private:
  struct Open;
  std::unique_ptr<Open> open_;
};

}  // namespace plume::unet
