// The decision on one pixel, written once for CPU and CUDA.
#pragma once

#include <cmath>
#include <cstdint>

#include "kernels/base/host_device.hpp"
#include "kernels/functors.hpp"
#include "kernels/output.hpp"

namespace plume::kernels {

// Writes the probabilities to `probability` unless it is null; the mask's value comes back.
template <class T>
PLUME_HD std::uint8_t decide_pixel(float* probability, const T* logits, int channels, Link link, float threshold) {
  using std::exp;
  auto largest = static_cast<float>(logits[0]);
  float sum = 0;
  if (link == Link::softmax) {
    for (int c = 1; c < channels; ++c)
      largest = largest < static_cast<float>(logits[c]) ? static_cast<float>(logits[c]) : largest;
    for (int c = 0; c < channels; ++c) sum += exp(static_cast<float>(logits[c]) - largest);
  }
  int best = 0;
  float best_probability = -1;
  for (int c = 0; c < channels; ++c) {
    const auto z = static_cast<float>(logits[c]);
    const float p = link == Link::softmax ? exp(z - largest) / sum : SigmoidBody{}(z);
    if (probability) probability[c] = p;
    if (p > best_probability) {
      best = c;
      best_probability = p;
    }
  }
  return static_cast<std::uint8_t>(channels == 1 ? best_probability > threshold : best);
}

}  // namespace plume::kernels
