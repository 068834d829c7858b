// The register tiles of Winograd's products: for outputs, tiles x vectors of output channels, summed over input channels;
// for weight gradients, input channels x vectors of output channels, summed over tiles.
#pragma once

#include "kernels/cpu/isa/vector.hpp"
#include "kernels/cpu/primitives.hpp"

namespace plume::kernels::isa {

template <class Isa, class T, int tiles, int vectors>
void winograd_product(const WinogradProduct<T>& product) {
  using V = Vector<Isa, T>;
  constexpr int width = vectors * V::lanes;
  typename V::type sum[tiles][vectors] = {};
  if (product.add) {
#pragma GCC unroll 14
    for (int t = 0; t < tiles; ++t) {
#pragma GCC unroll 2
      for (int v = 0; v < vectors; ++v) sum[t][v] = V::load(product.sums + t * width + v * V::lanes);
    }
  }

  const T* weights = product.weights;
  for (int b = 0; b < product.blocks; ++b) {
    const T* block = product.inputs + std::ptrdiff_t{b} * tiles * block_channels;
    const int channels = b + 1 == product.blocks ? product.last_width : block_channels;
    for (int c = 0; c < channels; ++c, ++block, weights += width) {
      typename V::type weight[vectors];
#pragma GCC unroll 2
      for (int v = 0; v < vectors; ++v) weight[v] = V::load(weights + v * V::lanes);
#pragma GCC unroll 14
      for (int t = 0; t < tiles; ++t) {
        const T value = block[t * block_channels];
#pragma GCC unroll 2
        for (int v = 0; v < vectors; ++v) sum[t][v] += weight[v] * value;
      }
    }
  }

#pragma GCC unroll 14
  for (int t = 0; t < tiles; ++t) {
#pragma GCC unroll 2
    for (int v = 0; v < vectors; ++v) V::store(product.sums + t * width + v * V::lanes, sum[t][v]);
  }
}

template <class Isa, class T, int inputs, int vectors>
void winograd_correlation(const WinogradCorrelation<T>& correlation) {
  using V = Vector<Isa, T>;
  typename V::type sum[inputs][vectors] = {};  // of these tiles alone: short chains keep f32 sums exact

  const T* input = correlation.inputs;
  const T* grads = correlation.grads;
  for (int t = 0; t < correlation.tiles; ++t, input += block_channels, grads += correlation.width) {
    typename V::type grad[vectors];
#pragma GCC unroll 2
    for (int v = 0; v < vectors; ++v) grad[v] = V::load(grads + v * V::lanes);
#pragma GCC unroll 8
    for (int i = 0; i < inputs; ++i) {
#pragma GCC unroll 2
      for (int v = 0; v < vectors; ++v) sum[i][v] += grad[v] * input[i];
    }
  }

#pragma GCC unroll 8
  for (int i = 0; i < inputs; ++i) {
#pragma GCC unroll 2
    for (int v = 0; v < vectors; ++v) {
      T* to = correlation.sums + i * correlation.width + v * V::lanes;
      V::store(to, V::load(to) + sum[i][v]);
    }
  }
}

}  // namespace plume::kernels::isa
