// A model as Keras's .h5, for Keras 2 and 3; the other way of import_keras.hpp.
#pragma once

#include <cstddef>
#include <filesystem>
#include <vector>

namespace plume::unet {

// The bytes of a file that keras.models.load_model(path, compile=False) takes: images [batch, height, width, bands] as
// stored in files, probabilities [batch, height, width, classes]. Layers keep their names; in front of them a
// BatchNormalization "input.scaling" stands for the input's mean and deviation, where the model has such. The same
// bytes for the same model. Throws input_error naming the file and the layer that Keras has nothing for: corners that
// are aligned, padding that is neither 'same' nor 'valid'.
[[nodiscard]] std::vector<std::byte> export_keras(const std::filesystem::path& model);

}  // namespace plume::unet
