// Where in a network values stop to be finite, to be told to who trains it.
#pragma once

#include <string>

#include "nn/tensor.hpp"
#include "unet/inference/network.hpp"

namespace plume::unet {

// Runs the images through the network once more, as in training (running statistics are updated), and looks at the
// images, the weights, every layer's output, and the gradients at hand, from the last layer to the first: the first
// that is not finite, as text ("the output of enc0.conv1").
[[nodiscard]] std::string find_not_finite(const Network& network, kernels::Stream& stream, const nn::Tensor& images);

}  // namespace plume::unet
