// Padding, normalisation, the network, and the activation behind it.
#include "unet/inference/predict.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <string>
#include <variant>

#include "kernels/base/error.hpp"
#include "kernels/output.hpp"
#include "nn/transfer.hpp"

namespace plume::unet {
namespace {

int round_up(int size, int multiple) {
  return (size + multiple - 1) / multiple * multiple;
}

// The first of `channels` values of a pixel in [image, row, column] order.
std::size_t offset_of(int image, int row, int column, int rows, int columns, std::size_t channels) {
  return ((static_cast<std::size_t>(image) * static_cast<std::size_t>(rows) + static_cast<std::size_t>(row)) *
              static_cast<std::size_t>(columns) +
          static_cast<std::size_t>(column)) *
         channels;
}

std::string key_of(const nn::Shape& shape) {
  return fmt::format("predict {}x{}x{}", shape.n, shape.h, shape.w);
}

// The top left height x width of each image.
std::vector<float> crop(const std::vector<float>& values, const nn::Shape& whole, int height, int width) {
  const auto channels = static_cast<std::size_t>(whole.c);
  std::vector<float> cropped(offset_of(whole.n, 0, 0, height, width, channels));
  for (int n = 0; n < whole.n; ++n) {
    for (int y = 0; y < height; ++y) {
      std::copy_n(values.data() + offset_of(n, y, 0, whole.h, whole.w, channels),
                  static_cast<std::size_t>(width) * channels,
                  cropped.data() + offset_of(n, y, 0, height, width, channels));
    }
  }
  return cropped;
}

}  // namespace

void require_bands(const Graph& graph, int bands, const std::string& name) {
  const int taken = graph.input.bands;
  if (bands == taken) return;
  throw input_error("{}: has {} bands, the model takes {}{}", name, bands, taken,
                    bands > taken ? fmt::format("; choose with --bands 1-{}", taken) : "");
}

Predictor::Predictor(const Network& network, int threads, kernels::ConvPolicy convolutions)
    : network_(network),
      own_stream_(network.stream() ? std::nullopt
                                   : std::optional<kernels::Stream>(kernels::CpuStream(threads, convolutions))),
      stream_(network.stream() ? *network.stream() : *own_stream_),
      arena_(&stream_),
      multiple_(size_multiple(network.graph())) {}

Predictor::Predictor(const Network& network, const std::optional<Ranges>& ranges, int threads,
                     kernels::ConvPolicy convolutions)
    : Predictor(network, threads, convolutions) {
  if (ranges) quantized_.emplace(network, *ranges, std::get<kernels::CpuStream>(stream_));
}

void Predictor::use_threads(int threads) noexcept {
  if (auto* cpu = std::get_if<kernels::CpuStream>(&stream_)) cpu->use_threads(threads);
}

std::vector<float> Predictor::run(const nn::Shape& shape, const float* pixels) {
  const int together = std::min(shape.n, images_together(shape));
  std::vector<float> all;
  for (int first = 0; first < shape.n; first += together) {
    const nn::Shape part{std::min(together, shape.n - first), shape.h, shape.w, shape.c};
    const float* from = pixels + static_cast<std::size_t>(first) * (shape.count() / static_cast<std::size_t>(shape.n));
    // The plan comes first: pieces from the heap cost more than a slab, on CUDA above all.
    if (arena_.plan(key_of(part)) == nullptr) static_cast<void>(run_step(part, nullptr));
    std::vector<float> probability = run_step(part, from);
    if (together == shape.n) return probability;
    all.insert(all.end(), probability.begin(), probability.end());
  }
  return all;
}

// On the CPU as many as have activations that a cache holds in part: nothing in an image heeds the others of its batch.
int Predictor::images_together(const nn::Shape& shape) const {
  constexpr std::ptrdiff_t pixels = std::ptrdiff_t{1} << 16;
  if (std::holds_alternative<kernels::CudaStream>(stream_)) return shape.n;
  return static_cast<int>(std::max<std::ptrdiff_t>(1, pixels / (std::ptrdiff_t{shape.h} * shape.w)));
}

std::vector<float> Predictor::run_step(const nn::Shape& shape, const float* pixels) {
  const bool dry = pixels == nullptr;
  const nn::ArenaStep step(arena_, key_of(shape), dry);
  const nn::Context context{.stream = stream_, .arena = arena_, .dry = dry};
  const nn::Tensor x = context.allocate(shape, network_.dtype(), "images");
  if (!dry) nn::upload(x, pixels, stream_);
  const nn::Tensor logits = quantized_ ? (*quantized_)(context, x) : network_(context, x);
  const nn::Tensor y = context.allocate(logits.shape(), DType::f32, "probabilities");
  const auto link =
      network_.graph().activation == Activation::sigmoid ? kernels::Link::sigmoid : kernels::Link::softmax;
  context.run(logits.dtype(), [&](auto& stream, auto element) {
    using T = decltype(element);
    kernels::decide<T>(y.image<float>(), nullptr, logits.image<T>(), link, 0, stream);
  });
  return dry ? std::vector<float>() : nn::download(y, stream_);
}

std::vector<float> Predictor::prepare(const float* pixels, const nn::Shape& shape, int height, int width) const {
  const InputSpec& input = network_.graph().input;
  const auto bands = static_cast<std::size_t>(input.bands);
  std::vector<float> prepared(shape.count());
  float* to = prepared.data();
  for (int n = 0; n < shape.n; ++n) {
    for (int y = 0; y < shape.h; ++y) {
      for (int x = 0; x < shape.w; ++x, to += bands) {
        const float* from =
            pixels + offset_of(n, std::min(y, height - 1), std::min(x, width - 1), height, width, bands);
        for (std::size_t b = 0; b < bands; ++b) {
          const float mean = input.mean.empty() ? 0.0F : input.mean[b];
          const float std = input.std.empty() ? 1.0F : input.std[b];
          to[b] = (from[b] - mean) / std;
        }
      }
    }
  }
  return prepared;
}

std::vector<float> Predictor::probabilities(const float* pixels, int images, int height, int width) {
  if (images < 1 || height < 1 || width < 1) throw input_error("an image of {}x{} pixels is empty", height, width);
  const nn::Shape shape{images, round_up(height, multiple_), round_up(width, multiple_), network_.graph().input.bands};
  const bool whole = shape.h == height && shape.w == width;
  const InputSpec& input = network_.graph().input;
  if (whole && input.mean.empty() && input.std.empty()) return run(shape, pixels);
  std::vector<float> probability = run(shape, prepare(pixels, shape, height, width).data());
  if (whole) return probability;
  return crop(probability, {images, shape.h, shape.w, network_.graph().classes}, height, width);
}

std::vector<float> Predictor::probabilities_of_normalized(const float* pixels, int images, int height, int width) {
  return run({images, height, width, network_.graph().input.bands}, pixels);
}

}  // namespace plume::unet
