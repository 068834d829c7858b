// Steps gone wrong.
#include "unet/step_guard.hpp"

#include <cmath>
#include <utility>

#include "kernels/base/error.hpp"
#include "unet/kept_checkpoints.hpp"

namespace plume::unet {
namespace {

constexpr int most_skipped_in_a_row = 10;
constexpr double least_loss = 1e-3;  // a first loss below this measures nothing

}  // namespace

StepGuard::StepGuard(const TrainSettings& settings, std::filesystem::path folder)
    : settings_(settings), folder_(std::move(folder)) {}

std::string StepGuard::last_good() const {
  if (saved_ < 0) return "no checkpoint was written yet";
  return fmt::format("the last good checkpoint is {}, of step {}", checkpoint_path(folder_).string(), saved_);
}

bool StepGuard::accept(const StepOutcome& step, Progress& progress, const std::function<std::string()>& where) {
  const std::int64_t number = progress.step + 1;
  if (!step.finite) {
    const bool skips = settings_.on_nan == OnNan::skip;
    if (skips && ++skipped_in_a_row_ < most_skipped_in_a_row) {
      ++progress.skipped;
      return false;
    }
    throw input_error(
        "the {} of step {} {} not finite: {}; try a smaller optimizer.lr ({} was used), or look for wild values in the "
        "tiles{}; {}",
        std::isfinite(step.loss) ? "gradients" : "loss", number, std::isfinite(step.loss) ? "are" : "is", where(),
        step.rate, skips ? fmt::format(" ({} steps in a row were skipped)", most_skipped_in_a_row) : "", last_good());
  }
  skipped_in_a_row_ = 0;
  if (progress.first_loss == 0) progress.first_loss = step.loss;
  if (step.loss > settings_.explode * std::max(progress.first_loss, least_loss)) {
    throw input_error(
        "the loss of step {} is {:.4g}, more than train.explode = {} times the first, {:.4g}; try a smaller "
        "optimizer.lr ({} was used), or train.clip_norm; {}",
        number, step.loss, settings_.explode, progress.first_loss, step.rate, last_good());
  }
  return true;
}

}  // namespace plume::unet
