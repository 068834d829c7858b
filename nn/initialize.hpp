// First values of parameters, keyed by (seed, the parameter's place), so that they do not depend on the order of drawing.
#pragma once

#include <cstdint>
#include <string_view>

#include "nn/parameters.hpp"

namespace plume::nn {

// pytorch: weights and biases uniform in +-1/sqrt(fan_in), PyTorch's default for convolutions.
// he: weights normal with variance 2/fan_in, biases 0. Source: He et al., ICCV 2015 (Keras's he_normal cuts the tails).
// glorot: weights uniform in +-sqrt(6/(fan_in + fan_out)), biases 0. Source: Glorot and Bengio, AISTATS 2010.
enum class Initializer { pytorch, he, glorot };

// Normalisation starts at gamma = 1, beta = 0, mean 0, variance 1.
void initialize(Parameters& parameters, Initializer initializer, std::uint64_t seed);

}  // namespace plume::nn
