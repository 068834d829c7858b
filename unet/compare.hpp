// Runs one network on two devices and says how far they part, layer by layer.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "nn/named_tensor.hpp"
#include "unet/inference/device.hpp"
#include "unet/inference/graph.hpp"

namespace plume::unet {

struct LayerDifference {
  std::string layer;
  double largest = 0;   // |a - b| of a value
  double relative = 0;  // |a - b| / |a| of all values, in L2 norm
};

struct Comparison {
  std::vector<LayerDifference> outputs;    // in the order of running; what is fused away is not listed
  std::vector<LayerDifference> gradients;  // of all of a layer's parameters together
  double loss = 0;                         // on the first device
  double loss_difference = 0;
  double worst = 0;  // of all relative ones
};

// One training pass, forward and backward, over two drawn images and labels; the first device is the reference.
// Throws as make_stream.
[[nodiscard]] Comparison compare_devices(const Graph& graph, std::span<const nn::NamedTensor> parameters,
                                         const DeviceSettings& reference, const DeviceSettings& other);

// What `worst` may be for a correct device, by the precision that it computes in: rounding, many layers deep.
[[nodiscard]] double comparison_tolerance(Precision precision);

}  // namespace plume::unet
