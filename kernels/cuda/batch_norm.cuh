// What the forward and backward kernels of batch normalisation share: one pack of channels' parameters, and the formula.
#pragma once

#include "device_language.hpp"
#include "kernels/cuda/pack.cuh"

namespace plume::kernels::cuda {

// Values of neighbouring channels; parameters may lie at any address.
template <int N>
__device__ Floats<N> channel_values(const float* from) {
  Floats<N> values;
#pragma unroll
  for (int i = 0; i < N; ++i) values[i] = __ldg(from + i);
  return values;
}

struct NormParameters {
  const float* mean;
  const float* inverse_std;
  const float* gamma;
  const float* beta;
};

// y = (x - mean) * scale + beta. The backward pass takes the sign of y from it again, so both must compute the same bits.
template <int N>
struct Normalization {
  Floats<N> mean;
  Floats<N> scale;
  Floats<N> beta;

  __device__ Normalization(const NormParameters& parameters, int channel)
      : mean(channel_values<N>(parameters.mean + channel)),
        scale(channel_values<N>(parameters.gamma + channel)),
        beta{} {
    const Floats<N> inverse_std = channel_values<N>(parameters.inverse_std + channel);
#pragma unroll
    for (int i = 0; i < N; ++i) scale[i] *= inverse_std[i];
    if (parameters.beta != nullptr) beta = channel_values<N>(parameters.beta + channel);
  }
  __device__ float operator()(float x, int i) const {
    return fmaf(x - mean[i], scale[i], beta[i]);
  }
};

}  // namespace plume::kernels::cuda
