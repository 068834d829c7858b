// Networks that look trained, for tests that need no training.
#pragma once

#include "../random_values.hpp"
#include "nn/initialize.hpp"
#include "unet/inference/network.hpp"

namespace plume::tests {

// As after a training: statistics, scales and shifts of their own for every channel.
inline unet::Network trained_network(const unet::Graph& graph) {
  unet::Network network(graph);
  nn::initialize(network.parameters(), nn::Initializer::he, 1);
  std::uint64_t seed = 1;
  for (const nn::ParameterInfo& info : network.parameters().all()) {
    if (info.shape.h != 1 || info.shape.w != 1 || info.shape.n != 1) continue;  // vectors only
    nn::NamedTensor tensor = network.parameters().to_named(info);
    const auto values = random_values(tensor.values.size(), ++seed);
    for (std::size_t i = 0; i < values.size(); ++i) {
      const double centre = info.name.ends_with(".running_var") || info.name.ends_with("norm.weight") ? 1.5 : 0;
      tensor.values[i] = static_cast<float>(centre + 0.5 * values[i]);
    }
    network.parameters().from_named(info, tensor);
  }
  return network;
}

}  // namespace plume::tests
