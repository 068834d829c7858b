// Padding, normalisation, the network, and the activation behind it.
#include "unet/predict.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cstring>

#include "kernels/base/error.hpp"
#include "nn/ops/ops.hpp"

namespace plume::unet {
namespace {

int round_up(int size, int multiple) {
  return (size + multiple - 1) / multiple * multiple;
}

}  // namespace

Predictor::Predictor(const Network& network, int threads)
    : network_(network), stream_(kernels::CpuStream(threads)), multiple_(size_multiple(network.graph())) {}

std::vector<float> Predictor::probabilities(const float* pixels, int images, int height, int width) {
  if (images < 1 || height < 1 || width < 1) throw input_error("an image of {}x{} pixels is empty", height, width);
  const InputSpec& input = network_.graph().input;
  const int padded_height = round_up(height, multiple_);
  const int padded_width = round_up(width, multiple_);
  const auto bands = static_cast<std::size_t>(input.bands);
  const auto index = [](int image, int row, int column, int rows, int columns) {
    return (static_cast<std::size_t>(image) * static_cast<std::size_t>(rows) + static_cast<std::size_t>(row)) *
               static_cast<std::size_t>(columns) +
           static_cast<std::size_t>(column);
  };

  std::vector<float> padded(index(images, 0, 0, padded_height, padded_width) * bands);
  for (int n = 0; n < images; ++n) {
    for (int y = 0; y < padded_height; ++y) {
      for (int x = 0; x < padded_width; ++x) {
        const float* from = pixels + index(n, std::min(y, height - 1), std::min(x, width - 1), height, width) * bands;
        float* to = padded.data() + index(n, y, x, padded_height, padded_width) * bands;
        for (std::size_t b = 0; b < bands; ++b) {
          const float mean = input.mean.empty() ? 0.0F : input.mean[b];
          const float std = input.std.empty() ? 1.0F : input.std[b];
          to[b] = (from[b] - mean) / std;
        }
      }
    }
  }
  auto probability = probabilities_of_normalized(padded.data(), images, padded_height, padded_width);
  if (padded_height == height && padded_width == width) return probability;

  const auto classes = static_cast<std::size_t>(network_.graph().classes);
  std::vector<float> cropped(index(images, 0, 0, height, width) * classes);
  for (int n = 0; n < images; ++n) {
    for (int y = 0; y < height; ++y) {
      std::copy_n(probability.data() + index(n, y, 0, padded_height, padded_width) * classes,
                  static_cast<std::size_t>(width) * classes, cropped.data() + index(n, y, 0, height, width) * classes);
    }
  }
  return cropped;
}

std::vector<float> Predictor::probabilities_of_normalized(const float* pixels, int images, int height, int width) {
  const Graph& graph = network_.graph();
  arena_.begin(fmt::format("predict {}x{}x{}", images, height, width));
  std::vector<float> result;
  {
    const nn::Context context{stream_, arena_};
    const nn::Tensor x = context.allocate({images, height, width, graph.input.bands}, DType::f32, "images");
    std::memcpy(x.data<float>(), pixels, x.bytes());
    const nn::Tensor logits = network_(context, x);
    const nn::Tensor y =
        graph.activation == Activation::sigmoid ? nn::sigmoid(context, logits) : nn::softmax(context, logits);
    result.assign(y.data<float>(), y.data<float>() + y.shape().count());
  }
  arena_.end();
  return result;
}

}  // namespace plume::unet
