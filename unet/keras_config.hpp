// Keras's description of a model (the JSON "model_config") as a layer graph of ours.
#pragma once

#include <set>
#include <string>
#include <string_view>

#include "unet/inference/graph.hpp"

namespace plume::unet {

struct KerasGraph {
  Graph graph;
  // Batch normalisations that Keras stores no gamma (scale=False) or no beta (center=False) for.
  std::set<std::string, std::less<>> without_scale;
  std::set<std::string, std::less<>> without_center;
};

// See import_keras.hpp for what is taken and what is refused. unbiased_variance: what batch normalisation does in the
// Keras that wrote the file. Throws input_error naming the layer and its class.
[[nodiscard]] KerasGraph graph_from_keras(std::string_view model_config, bool unbiased_variance);

}  // namespace plume::unet
