// What is done about a step gone wrong: a loss or gradients that are not finite, or a loss beyond all measure.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "unet/checkpoint.hpp"
#include "unet/config.hpp"

namespace plume::unet {

// How a step went, on all ranks.
struct StepOutcome {
  double loss = 0;
  bool finite = true;  // loss and gradients; where they are not, the step changed no weight
  double rate = 0;     // the learning rate that was used
};

class StepGuard {
 public:
  // folder: the run's.
  StepGuard(const TrainSettings& settings, std::filesystem::path folder);

  // Of the step behind progress.step. Whether it counts; false where it was skipped (train.on_nan). Throws input_error,
  // naming the step, where() the values came from, and the last good checkpoint, where the training is to end.
  [[nodiscard]] bool accept(const StepOutcome& step, Progress& progress, const std::function<std::string()>& where);

  // A checkpoint of this step is good.
  void saved(std::int64_t step) { saved_ = step; }
  [[nodiscard]] std::string last_good() const;

 private:
  TrainSettings settings_;
  std::filesystem::path folder_;
  std::int64_t saved_ = -1;  // none
  int skipped_in_a_row_ = 0;
};

}  // namespace plume::unet
