// A layer for graphs that tests write by hand.
#pragma once

#include <string>

#include "unet/inference/graph.hpp"

namespace plume::tests {

// 3x3 with a bias, the image's size kept.
inline unet::Layer conv_layer(const std::string& name, const std::string& input, int channels) {
  return {.name = name,
          .kind = unet::LayerKind::conv2d,
          .inputs = {input},
          .channels = channels,
          .kernel = 3,
          .pad = {1, 1, 1, 1},
          .bias = true};
}

}  // namespace plume::tests
