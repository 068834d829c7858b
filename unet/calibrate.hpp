// Calibration: the ranges of a network's values, from images that it is run on.
#pragma once

#include <map>
#include <string>

#include "nn/arena.hpp"
#include "unet/network.hpp"
#include "unet/ranges.hpp"
#include "unet/value_histogram.hpp"

namespace plume::unet {

class Calibration {
 public:
  // network: as it will be quantised, on a CpuStream, f32; copied.
  explicit Calibration(const Network& network);

  // Runs the network on images [n, h, w, bands] that are normalised already. Throws input_error where a value is not
  // finite.
  void add(const float* pixels, const nn::Shape& shape);

  // Of every layer.
  [[nodiscard]] Ranges ranges() const;

 private:
  Network network_;  // every layer is a step of its own, so that all values are seen
  nn::Arena arena_;
  std::map<std::string, ValueHistogram> histograms_;
};

}  // namespace plume::unet
