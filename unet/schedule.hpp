// The learning rate as a function of the step alone.
#pragma once

#include <cstdint>

namespace plume::unet {

// constant: lr. cosine: from lr down to lr * min_factor (Loshchilov and Hutter, "SGDR", ICLR 2017, one cycle).
// one_cycle: up from lr / 25 to lr over the first `warmup` of all steps, then down to lr * min_factor, both by cosines
// (Smith and Topin, 2018; PyTorch's OneCycleLR). constant and cosine rise linearly over the share `warmup`.
struct ScheduleSettings {
  enum class Kind { constant, cosine, one_cycle };
  Kind kind = Kind::cosine;
  double lr = 1e-3;      // the highest
  double warmup = 0.05;  // share of all steps
  double min_factor = 0.01;
};

// Of step 0 <= step < steps.
[[nodiscard]] double learning_rate(const ScheduleSettings& settings, std::int64_t step, std::int64_t steps);

}  // namespace plume::unet
