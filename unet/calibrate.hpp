// Calibration: the ranges of a network's values, from images that it is run on.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "nn/arena.hpp"
#include "unet/inference/network.hpp"
#include "unet/inference/ranges.hpp"

namespace plume::unet {

class Calibration {
 public:
  // network: as it will be quantised (quantized_network.hpp), on a CpuStream; copied.
  explicit Calibration(const Network& network);

  // Runs the network on images [n, h, w, bands] that are normalised already. Throws input_error where a value is not
  // finite.
  void add(const float* pixels, const nn::Shape& shape);

  // Of what each step of the network's plan yields, and of normalisations inside one.
  [[nodiscard]] Ranges ranges() const;

 private:
  struct Channel {
    float low = 0;
    float high = 0;
    double squares = 0;  // their sum
  };
  struct Layer {
    std::vector<Channel> channels;
    std::int64_t pixels = 0;
  };
  static void add_pixels(Channel* channels, const kernels::Image<const float>& image);

  Network network_;  // every layer is a step of its own, so that all values are seen
  nn::Arena arena_;
  std::map<std::string, Layer> layers_;  // those that are wanted
};

}  // namespace plume::unet
