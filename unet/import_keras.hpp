// Reads a trained Keras model (.h5, as model.save writes it) as a layer graph and its parameters.
#pragma once

#include <filesystem>
#include <vector>

#include "nn/named_tensor.hpp"
#include "unet/inference/graph.hpp"

namespace plume::unet {

struct KerasModel {
  Graph graph;
  std::vector<nn::NamedTensor> parameters;  // in the order and the layouts of parameter_shapes(graph)
};

// Takes Functional and Sequential models of Keras 2 and 3 with one input and one output, channels last, made of
//   InputLayer, Conv2D, Conv2DTranspose, BatchNormalization, MaxPooling2D (2x2), UpSampling2D (2x2, nearest or
//   bilinear), Concatenate (channels), Add, Activation and ReLU, Softmax, and Dropout, SpatialDropout2D (dropped: no
//   effect at inference).
//
// Activations: a layer's own relu becomes the layer "<layer>.relu"; sigmoid or softmax may stand only at the output and
// become the graph's activation. A linear output (trained with from_logits=True) is taken for sigmoid where it has one
// channel, else for softmax.
//
// Padding 'same' follows TensorFlow: the output has size ceil(n / stride), so the padding in all is
// max((ceil(n / stride) - 1) * stride + kernel - n, 0), of which the half, rounded down, is at top and left. For sizes
// that stride divides, which is what U-Nets see, that is max(kernel - stride, 0): one row and column at bottom and
// right only for kernel 3, stride 2. A transposed convolution crops the same amounts from its full output.
// (tensorflow.org/api_docs/python/tf/nn, "Notes on padding")
//
// Batch normalisation: our momentum is 1 - Keras's. Keras 2 on TensorFlow runs the fused kernel on images, which feeds
// the moving variance with the unbiased batch variance (n / (n - 1), Bessel's correction; TensorFlow's
// fused_batch_norm_op.cc, tensorflow issue 55545); Keras 3 feeds it the biased one. unbiased_variance says which.
//
// Throws input_error, one line with the file's name: missing, truncated, damaged or not a Keras model; another layer,
// attribute or activation (with the layer's name and class); weights that do not fit the graph or are not finite.
[[nodiscard]] KerasModel read_keras_h5(const std::filesystem::path& path);

}  // namespace plume::unet
