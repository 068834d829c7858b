// Inference: probabilities from pixels.
#pragma once

#include <vector>

#include "kernels/stream.hpp"
#include "nn/arena.hpp"
#include "unet/network.hpp"

namespace plume::unet {

// Runs a network again and again; keeps its memory between calls.
class Predictor {
 public:
  explicit Predictor(const Network& network, int threads = 0);

  // pixels [images, height, width, bands] as stored in files (the graph's input statistics are applied here); the result is
  // [images, height, width, classes]. Sizes that are no multiple of size_multiple(graph) are padded at the bottom and right with
  // the last row and column, and cropped again. Throws input_error for a size of 0.
  [[nodiscard]] std::vector<float> probabilities(const float* pixels, int images, int height, int width);

  // The same for pixels that are normalised already; height and width must fit the model.
  [[nodiscard]] std::vector<float> probabilities_of_normalized(const float* pixels, int images, int height, int width);

 private:
  // fill(first value of the input tensor) writes normalised pixels.
  template <class Fill>
  [[nodiscard]] std::vector<float> run(const nn::Shape& shape, const Fill& fill);

  const Network& network_;
  kernels::Stream stream_;
  nn::Arena arena_;
  int multiple_;
};

}  // namespace plume::unet
