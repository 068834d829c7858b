// What a row or column of a twofold enlargement is mixed of: all interpolations are separable, with two taps each.
#pragma once

#include "device_language.hpp"
#include "kernels/cuda/pack.cuh"
#include "kernels/upsample.hpp"

namespace plume::kernels::cuda {

struct Tap {
  int position;
  float weight;  // zero: nothing is read there
};

// Tap k of the inputs that an output row or column mixes; at the border both are the same one.
template <Interpolation interpolation>
__device__ Tap input_tap(int output, int inputs, int k) {
  const int near = output / 2;
  if constexpr (interpolation == Interpolation::nearest) return {near, k == 0 ? 1.0F : 0.0F};
  if constexpr (interpolation == Interpolation::aligned) {  // at output * (inputs - 1) / steps
    const int steps = 2 * inputs - 1;
    const int before = output * (inputs - 1) / steps;
    const float behind = static_cast<float>(output * (inputs - 1) % steps) / static_cast<float>(steps);
    return k == 0 ? Tap{before, 1.0F - behind} : Tap{min(before + 1, inputs - 1), behind};
  }
  if (k == 0) return {near, 0.75F};
  return {min(max(output % 2 == 0 ? near - 1 : near + 1, 0), inputs - 1), 0.25F};
}

// sum += weight * from
template <int N, class T>
__device__ void add_weighted(Floats<N>& sum, float weight, const T* from) {
  const Floats<N> values = load<N>(from);
#pragma unroll
  for (int i = 0; i < N; ++i) sum[i] = fmaf(weight, values[i], sum[i]);
}

}  // namespace plume::kernels::cuda
