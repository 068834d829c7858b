// A network as data: the layer graph that families build, that an import reads, that a checkpoint carries and that
// Network runs. It holds shapes and wiring only, no weights.
#pragma once

#include <array>
#include <cstdint>
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
  upsample_aligned,   // x2, bilinear, align_corners=True: what a pixel reads hangs on the image's size
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
  // Whether running_var is fed the unbiased batch variance (PyTorch; Keras 2 on TensorFlow) or the biased one (Keras
  // 3).
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
  // Layers that give logits at half the image's size, a quarter and so on, which a training compares too; nothing reads
  // them.
  std::vector<std::string> heads{};
  bool operator==(const Graph&) const = default;
};

// What a layer yields, given an image of any size that is a multiple of size_multiple().
struct LayerOutput {
  int channels = 0;
  int level = 0;  // height and width are the image's divided by 2^level (negative: multiplied)
  bool operator==(const LayerOutput&) const = default;
};

// One per layer, in order. Checks everything on the way: names unique and not "input", inputs defined earlier, every
// layer used, attributes sane, add and concat on equal sizes, image size kept, output channels equal to classes.
// Throws input_error naming the layer.
[[nodiscard]] std::vector<LayerOutput> infer_outputs(const Graph& graph);

// What is left for inference: without heads.
[[nodiscard]] Graph without_heads(const Graph& graph);

// infer_outputs() for its checks alone.
void validate(const Graph& graph);

// The power of two that height and width must be multiples of. Throws as validate does.
[[nodiscard]] int size_multiple(const Graph& graph);

// A parameter or running statistic that the graph needs, in PyTorch's layout: conv2d weight (out, in, k, k),
// conv_transpose2d weight (in, out, k, k), all others (channels).
struct ParameterShape {
  std::string name;  // "<layer>.weight", ".bias", ".running_mean", ".running_var"
  std::vector<std::int64_t> shape;
  bool operator==(const ParameterShape&) const = default;
};

// In order of layers. Throws as validate does.
[[nodiscard]] std::vector<ParameterShape> parameter_shapes(const Graph& graph);

// JSON text, as kept in a checkpoint's metadata. graph_from_json validates, and throws input_error naming what is
// wrong; unknown keys and kinds are errors. Optional: heads, mean, std, stride (1), pad (0), bias (false), epsilon,
// momentum, unbiased_variance.
[[nodiscard]] std::string to_json(const Graph& graph);
[[nodiscard]] Graph graph_from_json(std::string_view text);

}  // namespace plume::unet
