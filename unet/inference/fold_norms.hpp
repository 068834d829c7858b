// Batch normalisation at inference is an affine map per channel, which the convolution before it can do: weights times
// the scale, shift as the bias. Source: Jacob et al., "Quantization and training of neural networks for efficient
// integer-arithmetic-only inference", CVPR 2018, section 3.2.
#pragma once

#include "unet/inference/network.hpp"

namespace plume::unet {

// The same network for inference, without the normalisations that directly follow a convolution and alone read it.
// Weights are folded in f64 and rounded once; other layers and normalisations stay as they are. On the same stream.
[[nodiscard]] Network fold_norms(const Network& network);

}  // namespace plume::unet
