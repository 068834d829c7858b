// Inference: probabilities from pixels.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "kernels/stream.hpp"
#include "nn/arena.hpp"
#include "unet/inference/network.hpp"
#include "unet/inference/orientation.hpp"
#include "unet/inference/quantized_network.hpp"
#include "unet/inference/ranges.hpp"
#include "unet/inference/reach.hpp"
#include "unet/inference/tiling.hpp"

namespace plume::unet {

// Throws input_error where an image of that name has not as many bands as the model takes.
void require_bands(const Graph& graph, int bands, const std::string& name);

// How large an image may be that is run whole, and how others are cut into tiles (tiling.hpp).
struct TileSettings {
  int edge = 0;           // of a tile with its margins, at most; 0: as bytes allow
  std::size_t bytes = 0;  // of the activations of one image; 0: 2 GiB on the CPU, 4 on CUDA
  Blend blend = Blend::crop;
  double overlap = 0.5;  // of smoothly blended tiles, as a share of their edge
};

// All that says how a network is run on an image, but for where.
struct PredictionSettings {
  TileSettings tiles{};
  TestTime test_time = TestTime::none;
};

// Runs a network again and again; keeps its memory between calls.
class Predictor {
 public:
  // Runs on the network's stream; where it has none, on this many threads of the CPU.
  explicit Predictor(const Network& network, int threads = 0,
                     kernels::ConvPolicy convolutions = kernels::ConvPolicy::automatic);
  // In 8 bits where there are ranges to quantise by (quantized_network.hpp, also for what the network must be then).
  Predictor(const Network& network, const std::optional<Ranges>& ranges, int threads = 0,
            kernels::ConvPolicy convolutions = kernels::ConvPolicy::automatic);

  // On the CPU: lets it run on fewer threads than it was made with, or on all again. Nothing of its results hangs on
  // it.
  void use_threads(int threads) noexcept;

  // From now on probabilities are means over these orientations of each image, or of each tile of it.
  void average_over(TestTime test_time);

  // Throws usage_error for tiles too small for the model, though no image need be cut into any, and for any tiles where
  // the model hangs on an image's size (reach.hpp): such a one runs whole images whatever they need.
  void set_tiles(const TileSettings& settings);

  // The bytes of the largest step so far: what the memory between calls has grown to.
  [[nodiscard]] std::size_t largest_step() const { return largest_step_; }

  // pixels [images, height, width, bands] as stored in files (the graph's input statistics are applied here); the
  // result is [images, height, width, classes]. Sizes that are no multiple of size_multiple(graph) are padded at the
  // bottom and right with the last row and column, and cropped again. Throws input_error for a size of 0.
  [[nodiscard]] std::vector<float> probabilities(const float* pixels, int images, int height, int width);

  // The same of one image that is never in memory as a whole: a row of tiles at a time, read(first, last) gives the
  // pixels [last - first, width, bands] of rows, which are valid until it is called again, and take(first, last,
  // probabilities) is given [last - first, width, classes] of rows that follow those before. Both go downwards; rows
  // that are read overlap.
  using ReadRows = std::function<const float*(int first, int last)>;
  using TakeRows = std::function<void(int first, int last, std::span<const float> probabilities)>;
  void stream(int height, int width, const ReadRows& read, const TakeRows& take);

  // The same for pixels that are normalised already, without tiles.
  [[nodiscard]] std::vector<float> probabilities_of_normalized(const float* pixels, int images, int height, int width);

 private:
  // Normalised images of a shape, of which only what lies within the margins is wanted.
  struct Work {
    nn::Shape shape;
    Margins margins = {};
    [[nodiscard]] int rows() const { return shape.h - margins.top - margins.bottom; }
    [[nodiscard]] int columns() const { return shape.w - margins.left - margins.right; }
    [[nodiscard]] std::string key() const;  // of its step
  };
  // Probabilities over all orientations.
  [[nodiscard]] std::vector<float> run(const Work& work, const float* pixels);
  // In one, some images at a time.
  [[nodiscard]] std::vector<float> run_batches(const Work& work, const float* pixels);
  [[nodiscard]] int images_together(const nn::Shape& shape);
  // Queues the network; a dry run (null pixels) only plans its memory.
  [[nodiscard]] std::vector<float> run_step(const Work& work, const float* pixels);
  // Whether what lies in the margins alone can be left out of the network's work (Network::within).
  [[nodiscard]] bool leaves_out_margins() const;
  // Plans a step's memory where that has not been done; its bytes.
  std::size_t plan(const Work& work);
  // The largest that tiles of such an image may be.
  struct Edges {
    int height = 0;
    int width = 0;
  };
  [[nodiscard]] Edges largest_tile(const nn::Shape& shape);
  [[nodiscard]] std::size_t bytes_allowed() const;
  // Rows and columns of tiles.
  struct Tiles {
    TileAxis rows;
    TileAxis columns;
  };
  [[nodiscard]] Tiles cut(int height, int width);
  void stream(const Tiles& tiles, int height, int width, const ReadRows& read, const TakeRows& take);
  // Normalised pixels of shape.h x shape.w from column `left` on, padded beyond height and width.
  void prepare(std::vector<float>& prepared, const float* pixels, const nn::Shape& shape, int height, int width,
               int left = 0);
  [[nodiscard]] kernels::CpuStream& host_stream();

  const Network& network_;
  std::optional<QuantizedNetwork> quantized_;
  kernels::Stream own_stream_;
  kernels::Stream& stream_;
  nn::Arena arena_;
  int multiple_;
  Margins reach_;  // in all orientations
  bool whole_;     // images alone
  std::vector<Orientation> orientations_ = orientations(TestTime::none);
  TileSettings tiles_;
  std::vector<float> mean_;
  std::vector<float> std_;
  std::size_t largest_step_ = 0;
};

}  // namespace plume::unet
