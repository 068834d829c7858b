// Padding, normalisation, the network, and the activation behind it.
#include "unet/inference/predict.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <variant>

#include "kernels/base/error.hpp"
#include "kernels/input.hpp"
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

// Whole rows of an image, the first of which is `first`.
struct Rows {
  std::span<float> values;
  int first;
  int height;
  int width;
};

// Adds what is kept of a tile.
void add_tile(Rows rows, const std::vector<float>& kept, std::size_t channels, const TileSpan& row,
              const TileSpan& column) {
  const auto weight = [](const TileSpan& span, int place) {
    return span.weights.empty() ? 1.0F : span.weights[static_cast<std::size_t>(place - span.kept_first)];
  };
  for (int y = row.kept_first; y < std::min(row.kept_last, rows.first + rows.height); ++y) {
    const float* from = kept.data() + offset_of(0, y - row.kept_first, 0, row.kept_last - row.kept_first,
                                                column.kept_last - column.kept_first, channels);
    float* to = rows.values.data() + offset_of(0, y - rows.first, column.kept_first, rows.height, rows.width, channels);
    for (int x = column.kept_first; x < std::min(column.kept_last, rows.width); ++x) {
      const float share = weight(row, y) * weight(column, x);
      for (std::size_t c = 0; c < channels; ++c) *to++ += share * *from++;
    }
  }
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
      own_stream_(kernels::CpuStream(threads, convolutions)),
      stream_(network.stream() ? *network.stream() : own_stream_),
      arena_(&stream_),
      multiple_(size_multiple(network.graph())),
      reach_(reach_of(network.graph())),
      whole_(hangs_on_size(network.graph())),
      mean_(network.graph().input.mean),
      std_(network.graph().input.std) {
  const auto bands = static_cast<std::size_t>(network.graph().input.bands);
  if (mean_.empty()) mean_.assign(bands, 0.0F);
  if (std_.empty()) std_.assign(bands, 1.0F);
}

Predictor::Predictor(const Network& network, const std::optional<Ranges>& ranges, int threads,
                     kernels::ConvPolicy convolutions)
    : Predictor(network, threads, convolutions) {
  if (ranges) quantized_.emplace(network, *ranges, std::get<kernels::CpuStream>(stream_));
}

void Predictor::use_threads(int threads) noexcept {
  if (auto* cpu = std::get_if<kernels::CpuStream>(&stream_)) cpu->use_threads(threads);
}

void Predictor::average_over(TestTime test_time) {
  orientations_ = orientations(test_time);
  reach_ = reach_of(network_.graph());
  const bool flips = orientations_.size() > 1;
  const bool turns = orientations_.back().transpose;
  if (flips) reach_.top = reach_.bottom = std::max(reach_.top, reach_.bottom);
  if (flips) reach_.left = reach_.right = std::max(reach_.left, reach_.right);
  if (turns) reach_.top = reach_.bottom = reach_.left = reach_.right = std::max(reach_.top, reach_.left);
}

void Predictor::set_tiles(const TileSettings& settings) {
  if (settings.edge > 0 && whole_) {
    throw usage_error(
        "the model's up-sampling aligns corners, so what it finds hangs on an image's size and tiles would not fit "
        "together; leave the tile size out");
  }
  if (settings.edge > 0 && settings.blend == Blend::crop) {
    require_tile(settings.edge, reach_.top, reach_.bottom, multiple_);
    require_tile(settings.edge, reach_.left, reach_.right, multiple_);
  }
  tiles_ = settings;
}

std::string Predictor::Work::key() const {
  const auto& [top, left, bottom, right] = margins;
  return fmt::format("predict {}x{}x{} within {} {} {} {}", shape.n, shape.h, shape.w, top, left, bottom, right);
}

std::vector<float> Predictor::run(const Work& work, const float* pixels) {
  std::vector<float> mean = run_batches(work, pixels);
  if (orientations_.size() == 1) return mean;
  const auto& [shape, margins] = work;
  const nn::Shape result{shape.n, work.rows(), work.columns(), network_.graph().classes};
  for (auto orientation = orientations_.begin() + 1; orientation != orientations_.end(); ++orientation) {
    const auto turned = orient(*orientation, shape, pixels);
    const Work turned_work{oriented(*orientation, shape), oriented(*orientation, margins)};
    add_turned_back(*orientation, result, run_batches(turned_work, turned.data()), mean);
  }
  const float share = 1 / static_cast<float>(orientations_.size());
  for (float& value : mean) value *= share;
  return mean;
}

std::vector<float> Predictor::run_batches(const Work& work, const float* pixels) {
  const nn::Shape& shape = work.shape;
  const int together = std::min(shape.n, images_together(shape));
  std::vector<float> all;
  for (int first = 0; first < shape.n; first += together) {
    const Work part{{std::min(together, shape.n - first), shape.h, shape.w, shape.c}, work.margins};
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
    const std::size_t fitting = shape.n == 1 ? 1 : bytes_allowed() / plan({{1, shape.h, shape.w, shape.c}});
    return static_cast<int>(std::clamp<std::size_t>(fitting, 1, static_cast<std::size_t>(shape.n)));
  }
  return static_cast<int>(std::max<std::ptrdiff_t>(1, pixels / (std::ptrdiff_t{shape.h} * shape.w)));
}

std::size_t Predictor::plan(const Work& work) {
  const std::string key = work.key();
  if (arena_.plan(key) == nullptr) {
    if (arena_.plans() >= most_plans) arena_.forget_plans();
    static_cast<void>(run_step(work, nullptr));
  }
  return arena_.plan(key)->bytes;
}

std::size_t Predictor::bytes_allowed() const {
  if (tiles_.bytes > 0) return tiles_.bytes;
  return std::size_t{std::holds_alternative<kernels::CudaStream>(stream_) ? 4U : 2U} << 30;
}

Predictor::Edges Predictor::largest_tile(const nn::Shape& shape) {
  if (whole_) return {shape.h, shape.w};
  if (tiles_.edge > 0) return {tiles_.edge, tiles_.edge};
  const auto bytes = static_cast<double>(plan({{1, shape.h, shape.w, shape.c}}));
  const auto allowed = static_cast<double>(bytes_allowed());
  if (bytes <= allowed) return {shape.h, shape.w};
  // Memory goes with the area. An image that is narrow is cut along its length alone.
  const double pixels = allowed / bytes * shape.h * shape.w;
  const double edge = std::sqrt(pixels);
  const auto fitting = [&](int own, int other, int before, int after) {
    const double most = own <= edge ? own : other <= edge ? pixels / other : edge;
    return std::max(static_cast<int>(most), least_tile(before, after, multiple_));
  };
  Edges edges{fitting(shape.h, shape.w, reach_.top, reach_.bottom),
              fitting(shape.w, shape.h, reach_.left, reach_.right)};
  // A row of tiles is read at once, over all of the image's width. Of a small network that would be more than it needs
  // itself.
  const double row_bytes = static_cast<double>(sizeof(float)) * shape.w * shape.c;
  const auto rows = static_cast<int>(allowed / 2 / row_bytes);
  edges.height = std::max(std::min(edges.height, rows), least_tile(reach_.top, reach_.bottom, multiple_));
  return edges;
}

Predictor::Tiles Predictor::cut(int height, int width) {
  if (height < 1 || width < 1) throw input_error("an image of {}x{} pixels is empty", height, width);
  const nn::Shape shape = padded_shape({1, height, width, network_.graph().input.bands}, multiple_);
  const Edges largest = largest_tile(shape);
  if (tiles_.blend == Blend::smooth)
    return {overlap_axis(shape.h, multiple_, largest.height, tiles_.overlap),
            overlap_axis(shape.w, multiple_, largest.width, tiles_.overlap)};
  return {cut_axis(shape.h, reach_.top, reach_.bottom, multiple_, largest.height),
          cut_axis(shape.w, reach_.left, reach_.right, multiple_, largest.width)};
}

void Predictor::stream(int height, int width, const ReadRows& read, const TakeRows& take) {
  stream(cut(height, width), height, width, read, take);
}

void Predictor::stream(const Tiles& tiles, int height, int width, const ReadRows& read, const TakeRows& take) {
  const auto& [rows, columns] = tiles;
  const nn::Shape shape{1, rows.size, columns.size, network_.graph().input.bands};
  const auto classes = static_cast<std::size_t>(network_.graph().classes);
  const std::size_t row_values = static_cast<std::size_t>(width) * classes;
  std::vector<float> sums;      // of rows from `done` on
  std::vector<float> prepared;  // of a tile, kept for the next
  int done = 0;
  for (std::size_t i = 0; i < rows.spans.size(); ++i) {
    const TileSpan& row = rows.spans[i];
    const int last = std::min(row.first + rows.size, height);
    const float* pixels = read(row.first, last);
    const int kept = std::min(row.kept_last, height) - done;
    sums.resize(static_cast<std::size_t>(kept) * row_values);
    for (const TileSpan& column : columns.spans) {
      const Work work{shape,
                      {.top = row.kept_first - row.first,
                       .left = column.kept_first - column.first,
                       .bottom = row.first + rows.size - row.kept_last,
                       .right = column.first + columns.size - column.kept_last}};
      prepare(prepared, pixels, shape, last - row.first, width, column.first);
      const auto tile = run(work, prepared.data());
      add_tile({sums, done, kept, width}, tile, classes, row, column);
    }
    const int ready = i + 1 < rows.spans.size() ? rows.spans[i + 1].kept_first : height;
    const std::size_t values = static_cast<std::size_t>(ready - done) * row_values;
    take(done, ready, std::span(sums).first(values));
    sums.erase(sums.begin(), sums.begin() + static_cast<std::ptrdiff_t>(values));
    done = ready;
  }
}

bool Predictor::leaves_out_margins() const {
  return !quantized_ && std::holds_alternative<kernels::CpuStream>(stream_);
}

std::vector<float> Predictor::run_step(const Work& work, const float* pixels) {
  const bool dry = pixels == nullptr;
  const nn::ArenaStep step(arena_, work.key(), dry);
  const nn::Context context{.stream = stream_, .arena = arena_, .dry = dry};
  const nn::Tensor x = context.allocate(work.shape, network_.dtype(), "images");
  if (!dry) nn::upload(x, pixels, stream_);
  const nn::Tensor logits = quantized_             ? (*quantized_)(context, x)
                            : leaves_out_margins() ? network_.within(work.margins, context, x)
                                                   : network_(context, x);
  const nn::Tensor y = context.allocate(logits.shape(), DType::f32, "probabilities");
  const auto link =
      network_.graph().activation == Activation::sigmoid ? kernels::Link::sigmoid : kernels::Link::softmax;
  context.run(logits.dtype(), [&](auto& stream, auto element) {
    using T = decltype(element);
    kernels::decide<T>(y.image<float>(), nullptr, logits.image<T>(), link, 0, stream);
  });
  if (dry) return {};
  std::vector<float> values = nn::download(y, stream_);
  if (y.shape().h == work.rows() && y.shape().w == work.columns()) return values;
  return crop(values, y.shape(), work.rows(), work.columns(), work.margins.top, work.margins.left);
}

kernels::CpuStream& Predictor::host_stream() {
  auto* cpu = std::get_if<kernels::CpuStream>(&stream_);
  return cpu != nullptr ? *cpu : std::get<kernels::CpuStream>(own_stream_);
}

void Predictor::prepare(std::vector<float>& prepared, const float* pixels, const nn::Shape& shape, int height,
                        int width, int left) {
  std::vector<kernels::Placement> placements;
  for (int n = 0; n < shape.n; ++n)
    placements.push_back({.tile = n, .column = left, .height = height, .width = width - left});
  prepared.resize(shape.count());
  kernels::prepare_images(kernels::Image<float>(prepared.data(), shape.n, shape.h, shape.w, shape.c),
                          kernels::Image<const float>(pixels, shape.n, height, width, shape.c), placements.data(),
                          {mean_.data(), std_.data()}, host_stream());
}

std::vector<float> Predictor::probabilities(const float* pixels, int images, int height, int width) {
  if (images < 1) throw input_error("there is no image to predict on");
  const Tiles tiles = cut(height, width);
  const InputSpec& input = network_.graph().input;
  const auto bands = static_cast<std::size_t>(input.bands);
  const auto classes = static_cast<std::size_t>(network_.graph().classes);
  if (tiles.rows.spans.size() * tiles.columns.spans.size() > 1) {
    std::vector<float> all;
    all.reserve(offset_of(images, 0, 0, height, width, classes));
    for (int n = 0; n < images; ++n) {
      stream(
          tiles, height, width, [&](int first, int) { return pixels + offset_of(n, first, 0, height, width, bands); },
          [&](int, int, std::span<const float> rows) { all.insert(all.end(), rows.begin(), rows.end()); });
    }
    return all;
  }
  const nn::Shape shape{images, tiles.rows.size, tiles.columns.size, input.bands};
  const bool whole = shape.h == height && shape.w == width;
  if (whole && input.mean.empty() && input.std.empty()) return run({shape}, pixels);
  std::vector<float> prepared;
  prepare(prepared, pixels, shape, height, width);
  std::vector<float> probability = run({shape}, prepared.data());
  if (whole) return probability;
  return crop(probability, {images, shape.h, shape.w, network_.graph().classes}, height, width);
}

std::vector<float> Predictor::probabilities_of_normalized(const float* pixels, int images, int height, int width) {
  const nn::Shape shape{images, height, width, network_.graph().input.bands};
  const nn::Shape padded = padded_shape(shape, multiple_);
  if (padded == shape) return run({shape}, pixels);
  const std::vector<float> probability = run({padded}, pad(pixels, shape, padded).data());
  return crop(probability, {images, padded.h, padded.w, network_.graph().classes}, height, width);
}

}  // namespace plume::unet
