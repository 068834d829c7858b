// What a validation means for a training.
#pragma once

#include "unet/checkpoint.hpp"
#include "unet/evaluate.hpp"
#include "unet/schedule.hpp"
#include "unet/train_log.hpp"

namespace plume::unet {

// For the log; whether it is the best is not known yet.
[[nodiscard]] LogRow::Validation validation_of(const Evaluation& evaluation);

// Counts it for early stopping and for the schedule of plateaus. Whether it is the best so far.
[[nodiscard]] bool note_validation(Progress& progress, double iou, const ScheduleSettings& schedule);

}  // namespace plume::unet
