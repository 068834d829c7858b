// The learning rate as a function of the step, and of how often validations stopped to improve.
#pragma once

#include <cstdint>

namespace plume::unet {

// constant: lr. cosine: from lr down to lr * min_factor (Loshchilov and Hutter, "SGDR", ICLR 2017, one cycle).
// one_cycle: up from lr / 25 to lr over the first `warmup` of all steps, then down to lr * min_factor, both by cosines
// (Smith and Topin, 2018; PyTorch's OneCycleLR). poly: down by (1 - progress)^power (Chen et al., "DeepLab", 2016), to
// no less than lr * min_factor. plateau: lr * factor^reductions, a reduction after `patience` validations without a
// better one (PyTorch's ReduceLROnPlateau), to no less than lr * min_factor. All but one_cycle rise linearly over the
// share `warmup`.
struct ScheduleSettings {
  enum class Kind { constant, cosine, one_cycle, poly, plateau };
  Kind kind = Kind::cosine;
  double lr = 1e-3;      // the highest
  double warmup = 0.05;  // share of all steps
  double min_factor = 0.01;
  double power = 0.9;   // poly
  double factor = 0.1;  // plateau, as is
  int patience = 10;    // in validations
};

// Of step 0 <= step < steps, after so many reductions on plateaus.
[[nodiscard]] double learning_rate(const ScheduleSettings& settings, std::int64_t step, std::int64_t steps,
                                   int reductions = 0);

}  // namespace plume::unet
