// Padding, normalisation, the network, and the activation behind it.
#include "unet/inference/predict.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <variant>

#include "kernels/base/error.hpp"
#include "kernels/output.hpp"
#include "nn/transfer.hpp"
#include "unet/inference/padding.hpp"

namespace plume::unet {
namespace {

// Of shapes that images may have; a server sees any number of them.
constexpr std::size_t most_plans = 64;

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
      multiple_(size_multiple(network.graph())),
      reach_(reach_of(network.graph())),
      whole_(hangs_on_size(network.graph())) {}

Predictor::Predictor(const Network& network, const std::optional<Ranges>& ranges, int threads,
                     kernels::ConvPolicy convolutions)
    : Predictor(network, threads, convolutions) {
  if (ranges) quantized_.emplace(network, *ranges, std::get<kernels::CpuStream>(stream_));
}

void Predictor::use_threads(int threads) noexcept {
  if (auto* cpu = std::get_if<kernels::CpuStream>(&stream_)) cpu->use_threads(threads);
}

void Predictor::limit_tiles(const TileLimits& limits) {
  if (limits.edge > 0 && whole_) {
    throw usage_error(
        "the model's up-sampling aligns corners, so what it finds hangs on an image's size and tiles would not fit "
        "together; leave the tile size out");
  }
  if (limits.edge > 0) {
    require_tile(limits.edge, reach_.top, reach_.bottom, multiple_);
    require_tile(limits.edge, reach_.left, reach_.right, multiple_);
  }
  limits_ = limits;
}

std::vector<float> Predictor::run(const nn::Shape& shape, const float* pixels) {
  const int together = std::min(shape.n, images_together(shape));
  std::vector<float> all;
  for (int first = 0; first < shape.n; first += together) {
    const nn::Shape part{std::min(together, shape.n - first), shape.h, shape.w, shape.c};
    const float* from = pixels + static_cast<std::size_t>(first) * (shape.count() / static_cast<std::size_t>(shape.n));
    // First the plan: pieces from the heap cost more than a slab, on CUDA above all.
    largest_step_ = std::max(largest_step_, plan(part));
    std::vector<float> probability = run_step(part, from);
    if (together == shape.n) return probability;
    all.insert(all.end(), probability.begin(), probability.end());
  }
  return all;
}

// On the CPU as many as have activations that a cache holds in part: nothing in an image heeds the others of its batch.
int Predictor::images_together(const nn::Shape& shape) {
  constexpr std::ptrdiff_t pixels = std::ptrdiff_t{1} << 16;
  if (std::holds_alternative<kernels::CudaStream>(stream_)) {
    const std::size_t fitting = shape.n == 1 ? 1 : bytes_allowed() / plan({1, shape.h, shape.w, shape.c});
    return static_cast<int>(std::clamp<std::size_t>(fitting, 1, static_cast<std::size_t>(shape.n)));
  }
  return static_cast<int>(std::max<std::ptrdiff_t>(1, pixels / (std::ptrdiff_t{shape.h} * shape.w)));
}

std::size_t Predictor::plan(const nn::Shape& shape) {
  if (arena_.plan(key_of(shape)) == nullptr) {
    if (arena_.plans() >= most_plans) arena_.forget_plans();
    static_cast<void>(run_step(shape, nullptr));
  }
  return arena_.plan(key_of(shape))->bytes;
}

std::size_t Predictor::bytes_allowed() const {
  if (limits_.bytes > 0) return limits_.bytes;
  return std::size_t{std::holds_alternative<kernels::CudaStream>(stream_) ? 4U : 1U} << 30;
}

Predictor::Edges Predictor::largest_tile(const nn::Shape& shape) {
  if (whole_) return {shape.h, shape.w};
  if (limits_.edge > 0) return {limits_.edge, limits_.edge};
  const auto bytes = static_cast<double>(plan({1, shape.h, shape.w, shape.c}));
  const auto allowed = static_cast<double>(bytes_allowed());
  if (bytes <= allowed) return {shape.h, shape.w};
  // Memory goes with the area. An image that is narrow is cut along its length alone.
  const double pixels = allowed / bytes * shape.h * shape.w;
  const double edge = std::sqrt(pixels);
  const auto fitting = [&](int own, int other, int before, int after) {
    const double most = own <= edge ? own : other <= edge ? pixels / other : edge;
    return std::max(static_cast<int>(most), least_tile(before, after, multiple_));
  };
  return {fitting(shape.h, shape.w, reach_.top, reach_.bottom), fitting(shape.w, shape.h, reach_.left, reach_.right)};
}

std::vector<float> Predictor::run_tiles(const float* pixels, int images, int height, int width, const TileAxis& rows,
                                        const TileAxis& columns) {
  const nn::Shape shape{1, rows.size, columns.size, network_.graph().input.bands};
  const auto bands = static_cast<std::size_t>(shape.c);
  const auto classes = static_cast<std::size_t>(network_.graph().classes);
  std::vector<float> all(offset_of(images, 0, 0, height, width, classes));
  for (int n = 0; n < images; ++n) {
    const float* image = pixels + offset_of(n, 0, 0, height, width, bands);
    for (const TileSpan& row : rows.spans) {
      for (const TileSpan& column : columns.spans) {
        const auto tile = run(shape, prepare(image, shape, height, width, row.first, column.first).data());
        const int kept = std::min(column.kept_last, width) - column.kept_first;
        for (int y = row.kept_first; y < std::min(row.kept_last, height); ++y) {
          std::copy_n(tile.data() + offset_of(0, y - row.first, column.kept_first - column.first, rows.size,
                                              columns.size, classes),
                      static_cast<std::size_t>(kept) * classes,
                      all.data() + offset_of(n, y, column.kept_first, height, width, classes));
        }
      }
    }
  }
  return all;
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

std::vector<float> Predictor::prepare(const float* pixels, const nn::Shape& shape, int height, int width, int top,
                                      int left) const {
  const InputSpec& input = network_.graph().input;
  const auto bands = static_cast<std::size_t>(input.bands);
  std::vector<float> prepared(shape.count());
  float* to = prepared.data();
  for (int n = 0; n < shape.n; ++n) {
    for (int y = 0; y < shape.h; ++y) {
      for (int x = 0; x < shape.w; ++x, to += bands) {
        const float* from =
            pixels + offset_of(n, std::min(top + y, height - 1), std::min(left + x, width - 1), height, width, bands);
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
  const nn::Shape shape = padded_shape({images, height, width, network_.graph().input.bands}, multiple_);
  const Edges largest = largest_tile(shape);
  const TileAxis rows = cut_axis(shape.h, reach_.top, reach_.bottom, multiple_, largest.height);
  const TileAxis columns = cut_axis(shape.w, reach_.left, reach_.right, multiple_, largest.width);
  if (rows.spans.size() * columns.spans.size() > 1) return run_tiles(pixels, images, height, width, rows, columns);

  const bool whole = shape.h == height && shape.w == width;
  const InputSpec& input = network_.graph().input;
  if (whole && input.mean.empty() && input.std.empty()) return run(shape, pixels);
  std::vector<float> probability = run(shape, prepare(pixels, shape, height, width).data());
  if (whole) return probability;
  return crop(probability, {images, shape.h, shape.w, network_.graph().classes}, height, width);
}

std::vector<float> Predictor::probabilities_of_normalized(const float* pixels, int images, int height, int width) {
  const nn::Shape shape{images, height, width, network_.graph().input.bands};
  const nn::Shape padded = padded_shape(shape, multiple_);
  if (padded == shape) return run(shape, pixels);
  const std::vector<float> probability = run(padded, pad(pixels, shape, padded).data());
  return crop(probability, {images, padded.h, padded.w, network_.graph().classes}, height, width);
}

}  // namespace plume::unet
