// Validations.
#include "unet/validation.hpp"

#include <vector>

namespace plume::unet {

LogRow::Validation validation_of(const Evaluation& evaluation) {
  const std::vector<Confusion> counts = evaluation.counts();
  double image_iou = 0;
  for (const auto& image : evaluation.images) image_iou += foreground_iou(image);
  const Scores::Best best = evaluation.foreground.best_iou();
  return {.iou = foreground_iou(counts),
          .dice = foreground_mean(counts, &Confusion::dice),
          .precision = foreground_mean(counts, &Confusion::precision),
          .recall = foreground_mean(counts, &Confusion::recall),
          .accuracy = foreground_mean(counts, &Confusion::accuracy),
          .image_iou = image_iou / evaluation.tiles(),
          .pr_area = evaluation.foreground.average_precision(),
          .roc_area = evaluation.foreground.roc_area(),
          .calibration_error = evaluation.foreground.calibration_error(),
          .best_threshold = best.threshold,
          .best_iou = best.iou};
}

bool note_validation(Progress& progress, double iou, const ScheduleSettings& schedule) {
  if (iou > progress.best_iou) {
    progress.best_iou = iou;
    progress.best_step = progress.step;
    progress.validations_since_best = 0;
    progress.validations_since_reduction = 0;
    return true;
  }
  ++progress.validations_since_best;
  ++progress.validations_since_reduction;
  if (schedule.kind == ScheduleSettings::Kind::plateau && progress.validations_since_reduction >= schedule.patience) {
    ++progress.reductions;
    progress.validations_since_reduction = 0;
  }
  return false;
}

}  // namespace plume::unet
