// Pixelwise losses, forward and backward in one call: each returns its value and writes the logits' gradient.
// f32 and f64; sums are taken in f64 in an order that depends on the shape alone.
#pragma once

#include <cstdint>

#include "kernels/image.hpp"
#include "kernels/stream.hpp"

namespace plume::kernels {

inline constexpr std::uint8_t ignore_label = 255;

// Labels are class indices (dense NHW); a pixel with ignore_label counts in nothing. weights (dense NHW) may be null.
template <class T>
struct PixelTargets {
  const std::uint8_t* labels = nullptr;
  const T* weights = nullptr;
};

// Where the gradient of scale * loss goes; none where grad.data is null.
template <class T>
struct LossGradient {
  Image<T> grad;
  double scale = 1;
  bool add = false;
};

// Mean over pixels, by weight, of log(1 + exp(z)) - y z; logits have one channel, labels are 0 or 1. Zero where all
// pixels are ignored.
template <class T>
double bce_with_logits(LossGradient<T> gradient, Image<const T> logits, PixelTargets<T> targets, CpuStream& stream);

// Mean over pixels, by weight, of -log softmax(z)[label]; two channels or more.
template <class T>
double softmax_cross_entropy(LossGradient<T> gradient, Image<const T> logits, PixelTargets<T> targets,
                             CpuStream& stream);

// 1 - (2 sum p y + smooth) / (sum p + sum y + smooth) over all pixels of the batch, by weight: p = sigmoid(z) for one
// channel; for more, p = softmax(z) and the mean over classes. Zero where all pixels are ignored.
// Source: Milletari et al., "V-Net", 3DV 2016 (with sums instead of sums of squares, as is common).
template <class T>
double dice(LossGradient<T> gradient, Image<const T> logits, PixelTargets<T> targets, double smooth, CpuStream& stream);

}  // namespace plume::kernels
