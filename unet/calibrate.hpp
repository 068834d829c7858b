// Calibration: the ranges of a network's values, from images that it is run on.
#pragma once

#include <set>
#include <string>

#include "nn/arena.hpp"
#include "unet/network.hpp"
#include "unet/ranges.hpp"

namespace plume::unet {

class Calibration {
 public:
  // network: as it will be quantised (quantized_network.hpp), on a CpuStream; copied.
  explicit Calibration(const Network& network);

  // Runs the network on images [n, h, w, bands] that are normalised already. Throws input_error where a value is not
  // finite.
  void add(const float* pixels, const nn::Shape& shape);

  // From the least to the greatest of each channel, with 0, of what each step of the network's plan yields, and of
  // normalisations inside one.
  [[nodiscard]] const Ranges& ranges() const { return ranges_; }

 private:
  Network network_;  // every layer is a step of its own, so that all values are seen
  nn::Arena arena_;
  std::set<std::string> wanted_;  // layers
  Ranges ranges_;
};

}  // namespace plume::unet
