// Pixelwise losses, forward and backward in one call: each gives its value and the logits' gradient.
// f32 and f64 on the CPU, f32 and bf16 on CUDA; sums are taken in an order that depends on the shape alone, in f64.
#pragma once

#include <cstdint>

#include "kernels/base/dtype.hpp"
#include "kernels/image.hpp"
#include "kernels/stream.hpp"

namespace plume::kernels {

inline constexpr std::uint8_t ignore_label = 255;

// Labels are class indices (dense NHW); a pixel with ignore_label counts in nothing. Weights may be null: of pixels
// (dense NHW), and of classes (by label: two for one channel of logits, else as many as channels), by which a pixel
// counts as well. Soft targets are of one channel: y by label, from 0 to 1, in place of 1 for the label 1 and 0 for
// others; for cross entropy, Dice and Tversky.
template <class T>
struct PixelTargets {
  const std::uint8_t* labels = nullptr;
  const Wide<T>* weights = nullptr;
  const Wide<T>* class_weights = nullptr;
  const Wide<T>* soft = nullptr;
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
// pixels are ignored. With label smoothing s, y is s/2 or 1 - s/2 (Szegedy et al., "Rethinking the inception
// architecture", 2016).
template <class T>
void bce_with_logits(const LossOutput<T>& output, Image<const T> logits, PixelTargets<T> targets, double smoothing,
                     CpuStream& stream);
template <class T>
void bce_with_logits(const LossOutput<T>& output, Image<const T> logits, PixelTargets<T> targets, double smoothing,
                     CudaStream& stream);

// Mean over pixels, by weight, of -log softmax(z)[label]; two channels or more. With label smoothing s the label has 1
// - s of the weight, and all classes share s.
template <class T>
void softmax_cross_entropy(const LossOutput<T>& output, Image<const T> logits, PixelTargets<T> targets,
                           double smoothing, CpuStream& stream);
template <class T>
void softmax_cross_entropy(const LossOutput<T>& output, Image<const T> logits, PixelTargets<T> targets,
                           double smoothing, CudaStream& stream);

// Mean over pixels, by weight, of (1 - p)^gamma * -log(p), p the probability of the label: sigmoid(z) or 1 - sigmoid(z)
// for one channel, softmax(z)[label] for more. Its alpha is the classes' weights, by which the mean is taken.
// Source: Lin et al., "Focal loss for dense object detection", ICCV 2017.
template <class T>
void focal(const LossOutput<T>& output, Image<const T> logits, PixelTargets<T> targets, double gamma,
           CpuStream& stream);
template <class T>
void focal(const LossOutput<T>& output, Image<const T> logits, PixelTargets<T> targets, double gamma,
           CudaStream& stream);

// Classes are levels in their order: mean over pixels, by weight, and over the borders k between levels of -log P(level
// > k) where the label is above, -log P(level <= k) where it is not; P are sums of softmax(z). Two classes to
// most_ordinal_classes.
inline constexpr int most_ordinal_classes = 16;
template <class T>
void ordinal(const LossOutput<T>& output, Image<const T> logits, PixelTargets<T> targets, CpuStream& stream);
template <class T>
void ordinal(const LossOutput<T>& output, Image<const T> logits, PixelTargets<T> targets, CudaStream& stream);

// (1 - (sum p y + smooth) / (sum p y + alpha sum p (1 - y) + beta sum (1 - p) y + smooth))^gamma over all pixels of the
// batch, by weight: p = sigmoid(z) for one channel; for more, p = softmax(z) and the mean over classes. Zero where all
// pixels are ignored.
// Sources: Salehi et al., "Tversky loss function for image segmentation using 3D fully convolutional deep networks",
// 2017; of the power Abraham and Khan, "A novel focal Tversky loss function", ISBI 2019 (theirs is 1/gamma).
struct TverskySettings {
  double alpha = 0.5;  // of what is found and not there
  double beta = 0.5;   // of what is there and not found
  double smooth = 1;
  double gamma = 1;
};
template <class T>
void tversky(const LossOutput<T>& output, Image<const T> logits, PixelTargets<T> targets,
             const TverskySettings& settings, CpuStream& stream);
template <class T>
void tversky(const LossOutput<T>& output, Image<const T> logits, PixelTargets<T> targets,
             const TverskySettings& settings, CudaStream& stream);

// 1 - (2 sum p y + smooth) / (sum p + sum y + smooth), which is a case of Tversky's.
// Source: Milletari et al., "V-Net", 3DV 2016 (with sums instead of sums of squares, as is common).
template <class T, class Stream>
void dice(const LossOutput<T>& output, Image<const T> logits, PixelTargets<T> targets, double smooth, Stream& stream) {
  tversky(output, logits, targets, {.smooth = smooth / 2}, stream);
}

// The convex extension of 1 - IoU, over all pixels of the batch, which weigh alike where their weight is not 0: of the
// hinge 1 - z (2 y - 1) for one channel; for more, of |y - p| with p = softmax(z), the mean over the classes that are
// there.
// Source: Berman, Rannen Triki and Blaschko, "The Lovasz-softmax loss", CVPR 2018.
template <class T>
void lovasz(const LossOutput<T>& output, Image<const T> logits, PixelTargets<T> targets, CpuStream& stream);
template <class T>
void lovasz(const LossOutput<T>& output, Image<const T> logits, PixelTargets<T> targets, CudaStream& stream);

}  // namespace plume::kernels
