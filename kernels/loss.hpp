// Pixelwise losses, forward and backward in one call: each gives its value and the logits' gradient.
// f32 and f64 on the CPU, f32 and bf16 on CUDA; sums are taken in an order that depends on the shape alone, in f64.
#pragma once

#include <cstdint>

#include "kernels/base/dtype.hpp"
#include "kernels/image.hpp"
#include "kernels/stream.hpp"

namespace plume::kernels {

inline constexpr std::uint8_t ignore_label = 255;

// Labels are class indices (dense NHW); a pixel with ignore_label counts in nothing. weights (dense NHW) may be null.
template <class T>
struct PixelTargets {
  const std::uint8_t* labels = nullptr;
  const Wide<T>* weights = nullptr;
};

// Where a loss and its gradient go, all in the stream's memory.
template <class T>
struct LossOutput {
  double* value = nullptr;  // (+)= weight * loss
  Image<T> grad{};          // (+)= weight * scale * gradient of the loss; none where data is null
  double weight = 1;
  double scale = 1;
  bool add_value = false;
  bool add_grad = false;
};

// Mean over pixels, by weight, of log(1 + exp(z)) - y z; logits have one channel, labels are 0 or 1. Zero where all
// pixels are ignored.
template <class T>
void bce_with_logits(const LossOutput<T>& output, Image<const T> logits, PixelTargets<T> targets, CpuStream& stream);
template <class T>
void bce_with_logits(const LossOutput<T>& output, Image<const T> logits, PixelTargets<T> targets, CudaStream& stream);

// Mean over pixels, by weight, of -log softmax(z)[label]; two channels or more.
template <class T>
void softmax_cross_entropy(const LossOutput<T>& output, Image<const T> logits, PixelTargets<T> targets,
                           CpuStream& stream);
template <class T>
void softmax_cross_entropy(const LossOutput<T>& output, Image<const T> logits, PixelTargets<T> targets,
                           CudaStream& stream);

// 1 - (2 sum p y + smooth) / (sum p + sum y + smooth) over all pixels of the batch, by weight: p = sigmoid(z) for one
// channel; for more, p = softmax(z) and the mean over classes. Zero where all pixels are ignored.
// Source: Milletari et al., "V-Net", 3DV 2016 (with sums instead of sums of squares, as is common).
template <class T>
void dice(const LossOutput<T>& output, Image<const T> logits, PixelTargets<T> targets, double smooth,
          CpuStream& stream);
template <class T>
void dice(const LossOutput<T>& output, Image<const T> logits, PixelTargets<T> targets, double smooth,
          CudaStream& stream);

}  // namespace plume::kernels
