// What every loss on the CPU does with a pixel: its weight, its gradient, its softmax; with the value; and means over
// pixels.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "kernels/cpu/parallel.hpp"
#include "kernels/cpu/pixel_sums.hpp"
#include "kernels/loss.hpp"

namespace plume::kernels {

template <class T>
T weight_of(const PixelTargets<T>& targets, std::ptrdiff_t pixel) {
  const std::uint8_t label = targets.labels[pixel];
  if (label == ignore_label) return T{0};
  const T weight = targets.weights ? targets.weights[pixel] : T{1};
  return targets.class_weights ? weight * targets.class_weights[label] : weight;
}

// Of one channel.
template <class T>
T truth_of(const PixelTargets<T>& targets, std::ptrdiff_t pixel) {
  const std::uint8_t label = targets.labels[pixel];
  if (targets.soft && label != ignore_label) return targets.soft[label];
  return label == 1 ? T{1} : T{0};
}

template <class T>
void put(const LossOutput<T>& output, std::ptrdiff_t pixel, int channel, T value) {
  T& to = output.grad.data[pixel * output.grad.stride + channel];
  to = output.add_grad ? to + value : value;
}

template <class T>
void put_value(const LossOutput<T>& output, double loss) {
  *output.value = output.weight * loss + (output.add_value ? *output.value : 0);
}

// The softmax of one pixel.
template <class T>
class PixelSoftmax {
 public:
  PixelSoftmax(const T* logits, int classes) : logits_(logits), classes_(classes) {
    const T largest = *std::max_element(logits, logits + classes);
    T sum{0};
    for (int c = 0; c < classes; ++c) sum += probability_[c] = std::exp(logits[c] - largest);
    for (int c = 0; c < classes; ++c) probability_[c] /= sum;
    normaliser_ = largest + std::log(sum);
  }
  [[nodiscard]] int classes() const { return classes_; }
  [[nodiscard]] T logit(int c) const { return logits_[c]; }
  [[nodiscard]] T probability(int c) const { return probability_[c]; }
  [[nodiscard]] T surprise(int c) const { return normaliser_ - logits_[c]; }

 private:
  const T* logits_;
  int classes_;
  T probability_[256];
  T normaliser_;
};

// The mean by weight of loss(pixel), and then slope(pixel, factor) for every pixel, with factor the gradient's scale
// times w / sum w.
template <class T, class Loss, class Slope>
void weighted_mean(const LossOutput<T>& output, std::ptrdiff_t pixels, const PixelTargets<T>& targets,
                   CpuStream& stream, const Loss& loss, const Slope& slope) {
  const auto totals =
      pixel_runs<T>(pixels, 2, stream, [&](T*, double* total, std::ptrdiff_t first, std::ptrdiff_t count) {
        for (std::ptrdiff_t p = first; p < first + count; ++p) {
          const T weight = weight_of(targets, p);
          if (weight == T{0}) continue;
          total[0] += static_cast<double>(weight * loss(p));
          total[1] += static_cast<double>(weight);
        }
      });
  const bool any = totals[1] > 0;
  if (output.grad.data) {
    const double factor = any ? output.weight * output.scale / totals[1] : 0;
    parallel_for(stream, pixels, [&](std::ptrdiff_t p) {
      slope(p, static_cast<T>(factor * static_cast<double>(weight_of(targets, p))));
    });
  }
  put_value(output, any ? totals[0] / totals[1] : 0);
}

// The mean of a body of one channel (kernels/loss_bodies.hpp).
template <class T, class Body>
void binary_mean(const LossOutput<T>& output, Image<const T> logits, const PixelTargets<T>& targets, const Body& body,
                 CpuStream& stream) {
  const auto at = [&](std::ptrdiff_t p) { return logits.data[p * logits.stride]; };
  weighted_mean(
      output, logits.pixels(), targets, stream,
      [&](std::ptrdiff_t p) { return body.loss(at(p), truth_of(targets, p)); },
      [&](std::ptrdiff_t p, T factor) { put(output, p, 0, factor * body.slope(at(p), truth_of(targets, p))); });
}

// The mean of a body of several. Where a pixel is ignored, its label is no class.
template <class Body, class T>
void softmax_mean(const LossOutput<T>& output, Image<const T> logits, const PixelTargets<T>& targets,
                  const typename Body::Settings& settings, CpuStream& stream) {
  const auto softmax_of = [&](std::ptrdiff_t p) { return PixelSoftmax<T>(logits.data + p * logits.stride, logits.c); };
  weighted_mean(
      output, logits.pixels(), targets, stream,
      [&](std::ptrdiff_t p) {
        const PixelSoftmax<T> softmax = softmax_of(p);
        return Body(settings, softmax, targets.labels[p]).loss(softmax);
      },
      [&](std::ptrdiff_t p, T factor) {
        if (targets.labels[p] == ignore_label) {
          for (int c = 0; c < logits.c; ++c) put(output, p, c, T{0});
          return;
        }
        const PixelSoftmax<T> softmax = softmax_of(p);
        const Body body(settings, softmax, targets.labels[p]);
        for (int c = 0; c < logits.c; ++c) put(output, p, c, factor * body.slope(softmax, c));
      });
}

}  // namespace plume::kernels
