// A learning rate to begin with, found by a training whose rate rises at every step until the loss falls apart.
// Source: Smith, "Cyclical learning rates for training neural networks", WACV 2017, section 3.3.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "unet/config.hpp"

namespace plume::unet {

struct RateRange {
  double lowest = 1e-7;
  double highest = 10;
  int steps = 100;
};

struct RateTrial {
  double rate = 0;
  double loss = 0;
  double smoothed = 0;  // over the trials so far
};

struct RateSearch {
  std::vector<RateTrial> trials;
  double suggested = 0;  // a tenth of that:
  double lowest = 0;     // where the smoothed loss is least, a rate that is too high already
};

// One process trains on the configuration's batches, and writes nothing; it ends early where the loss is four times the
// least, or not finite. Throws input_error as train() does, and where the loss never fell.
[[nodiscard]] RateSearch find_rate(const Config& config, const RateRange& range);

// What the trials say. Throws input_error where the loss never fell.
[[nodiscard]] RateSearch judge(std::vector<RateTrial> trials);

// The trials as a curve of characters, and what they amount to.
[[nodiscard]] std::string to_text(const RateSearch& search);

}  // namespace plume::unet
