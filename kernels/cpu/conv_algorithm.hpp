// Which of the CPU's convolutions runs: a model of their cost on one thread picks, by shape alone, so that the bits of
// a result hang neither on a clock nor on the machine's load.
#pragma once

#include "kernels/convolution.hpp"
#include "kernels/cpu/winograd/winograd.hpp"
#include "kernels/stream.hpp"

namespace plume::kernels {

enum class ConvAlgorithm { direct, winograd_f2, winograd_f4 };

[[nodiscard]] constexpr WinogradTile winograd_tile(ConvAlgorithm algorithm) {
  return algorithm == ConvAlgorithm::winograd_f2 ? WinogradTile::f2 : WinogradTile::f4;
}

// The convolution's outputs, for a data gradient the input's gradient, and the channels summed over; for a weight
// gradient in and out are the convolution's own.
struct ConvWork {
  int n = 0;
  int h = 0;
  int w = 0;
  int in = 0;
  int out = 0;
  bool weight_gradient = false;
};

// f64 is direct unless the policy names Winograd, because it serves as the reference.
template <class T>
[[nodiscard]] ConvAlgorithm choose_algorithm(const ConvWork& work, const ConvGeometry& geometry, ConvPolicy policy);

}  // namespace plume::kernels
