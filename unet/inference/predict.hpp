// Inference: probabilities from pixels.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "kernels/stream.hpp"
#include "nn/arena.hpp"
#include "unet/inference/network.hpp"
#include "unet/inference/quantized_network.hpp"
#include "unet/inference/ranges.hpp"

namespace plume::unet {

// Throws input_error where an image of that name has not as many bands as the model takes.
void require_bands(const Graph& graph, int bands, const std::string& name);

// Runs a network again and again; keeps its memory between calls.
class Predictor {
 public:
  // Runs on the network's stream; where it has none, on this many threads of the CPU.
  explicit Predictor(const Network& network, int threads = 0,
                     kernels::ConvPolicy convolutions = kernels::ConvPolicy::automatic);
  // In 8 bits where there are ranges to quantise by (quantized_network.hpp, also for what the network must be then).
  Predictor(const Network& network, const std::optional<Ranges>& ranges, int threads = 0,
            kernels::ConvPolicy convolutions = kernels::ConvPolicy::automatic);

  // On the CPU: lets it run on fewer threads than it was made with, or on all again. Nothing of its results hangs on it.
  void use_threads(int threads) noexcept;

  // pixels [images, height, width, bands] as stored in files (the graph's input statistics are applied here); the result is
  // [images, height, width, classes]. Sizes that are no multiple of size_multiple(graph) are padded at the bottom and right with
  // the last row and column, and cropped again. Throws input_error for a size of 0.
  [[nodiscard]] std::vector<float> probabilities(const float* pixels, int images, int height, int width);

  // The same for pixels that are normalised already; height and width must fit the model.
  [[nodiscard]] std::vector<float> probabilities_of_normalized(const float* pixels, int images, int height, int width);

 private:
  // Probabilities of normalised pixels, some images at a time.
  [[nodiscard]] std::vector<float> run(const nn::Shape& shape, const float* pixels);
  [[nodiscard]] int images_together(const nn::Shape& shape) const;
  // Queues the network; a dry run (null pixels) only plans its memory.
  [[nodiscard]] std::vector<float> run_step(const nn::Shape& shape, const float* pixels);
  // Normalised and padded pixels.
  [[nodiscard]] std::vector<float> prepare(const float* pixels, const nn::Shape& shape, int height, int width) const;

  const Network& network_;
  std::optional<QuantizedNetwork> quantized_;
  std::optional<kernels::Stream> own_stream_;
  kernels::Stream& stream_;
  nn::Arena arena_;
  int multiple_;
};

}  // namespace plume::unet
