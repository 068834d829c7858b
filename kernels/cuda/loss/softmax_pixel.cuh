// The softmax of one pixel's logits on CUDA, kept as two numbers: with up to 255 classes, what can be computed again
// is.
#pragma once

#include "device_language.hpp"

namespace plume::kernels::cuda {

struct SoftmaxPixel {
  float largest;
  float sum;  // of exp(logit - largest)

  SoftmaxPixel() = default;
  template <class T>
  __device__ SoftmaxPixel(const T* logits, int classes) : largest(static_cast<float>(logits[0])), sum(0) {
    for (int c = 1; c < classes; ++c) largest = fmaxf(largest, static_cast<float>(logits[c]));
    for (int c = 0; c < classes; ++c) sum += expf(static_cast<float>(logits[c]) - largest);
  }
  [[nodiscard]] __device__ float probability(float logit) const { return expf(logit - largest) / sum; }
  // -log(probability)
  [[nodiscard]] __device__ float surprise(float logit) const { return largest - logit + logf(sum); }
};

// The same with its logits, as losses' bodies want it.
template <class T>
class SoftmaxLogits {
 public:
  __device__ SoftmaxLogits(const T* logits, int classes)
      : logits_(logits), classes_(classes), pixel_(logits, classes) {}
  [[nodiscard]] __device__ int classes() const { return classes_; }
  [[nodiscard]] __device__ float logit(int c) const { return static_cast<float>(logits_[c]); }
  [[nodiscard]] __device__ float probability(int c) const { return pixel_.probability(logit(c)); }
  [[nodiscard]] __device__ float surprise(int c) const { return pixel_.surprise(logit(c)); }

 private:
  const T* logits_;
  int classes_;
  SoftmaxPixel pixel_;
};

}  // namespace plume::kernels::cuda
