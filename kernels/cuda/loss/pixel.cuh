// What every loss on CUDA does with a pixel: its weight, its gradient; and with the value.
#pragma once

#include <cstddef>

#include "device_language.hpp"
#include "kernels/loss.hpp"

namespace plume::kernels::cuda {

// *output.value (+)= output.weight * loss, by one thread.
template <class T>
__device__ void put_value(const LossOutput<T>& output, double loss) {
  *output.value = output.weight * loss + (output.add_value ? *output.value : 0.0);
}

// element (+)= value
template <class T>
__device__ void put(T& element, float value, bool add) {
  element = static_cast<T>(add ? static_cast<float>(element) + value : value);
}

template <class T>
__device__ float weight_of(const PixelTargets<T>& targets, std::ptrdiff_t pixel) {
  const int label = targets.labels[pixel];
  if (label == ignore_label) return 0.0F;
  const float weight = targets.weights ? targets.weights[pixel] : 1.0F;
  return targets.class_weights ? weight * targets.class_weights[label] : weight;
}

}  // namespace plume::kernels::cuda
