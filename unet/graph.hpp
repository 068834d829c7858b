// A network as data: the layer graph that families build, that an import reads, that a checkpoint carries and that
// Network runs. It holds shapes and wiring only, no weights.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

namespace plume::unet {

enum class LayerKind {
  conv2d,
  conv_transpose2d,
  batch_norm,
  relu,
  max_pool,           // 2x2, stride 2
  upsample_nearest,   // x2
  upsample_bilinear,  // x2, half-pixel centres (TensorFlow 2; PyTorch with align_corners=False)
  concat,             // along channels, in the order of inputs
  add,
};

// What turns logits into probabilities; the network itself ends with logits.
enum class Activation { sigmoid, softmax };

struct Layer {
  std::string name;  // dotted, unique; parameters are "<name>.weight", "<name>.bias", ...
  LayerKind kind{};
  std::vector<std::string> inputs;  // names of earlier layers; "input" is the image

  // conv2d and conv_transpose2d
  int channels = 0;  // output channels
  int kernel = 0;    // square
  int stride = 1;
  // conv2d: zeros added at {top, left, bottom, right}. conv_transpose2d: rows and columns cropped there.
  std::array<int, 4> pad{};
  bool bias = false;

  // batch_norm; running = (1 - momentum) * running + momentum * batch (PyTorch's sense; Keras's is its complement)
  float epsilon = 1e-5F;
  float momentum = 0.1F;
  // Whether running_var is fed the unbiased batch variance (PyTorch) or the biased one (Keras).
  bool unbiased_variance = true;

  bool operator==(const Layer&) const = default;
};

// How pixels as stored in files become the network's input: (pixel - mean[band]) / std[band].
struct InputSpec {
  int bands = 0;
  std::vector<float> mean;  // empty: 0
  std::vector<float> std;   // empty: 1
  bool operator==(const InputSpec&) const = default;
};

struct Graph {
  InputSpec input;
  std::vector<Layer> layers;  // in execution order; the last one is the output (logits)
  Activation activation = Activation::sigmoid;
  int classes = 1;  // channels of the output; 1 with sigmoid is binary
  bool operator==(const Graph&) const = default;
};

// The largest power of two that height and width must be multiples of.
[[nodiscard]] int size_multiple(const Graph& graph);

// Checks names, wiring and channel counts. Throws input_error naming the layer.
void validate(const Graph& graph);

// JSON text, as kept in a checkpoint's metadata; from_json throws input_error naming what is wrong.
[[nodiscard]] std::string to_json(const Graph& graph);
[[nodiscard]] Graph graph_from_json(std::string_view text);

}  // namespace plume::unet
