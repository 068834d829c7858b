// The last word of a training, run.json: whoever finds it knows that all ranks came to the end, which an exit code alone, as
// launchers pass it on, does not say.
#pragma once

#include <filesystem>

#include "unet/train.hpp"

namespace plume::unet {

// In the run's folder, whole or not at all: {"state": "finished" or "stopped", "step", "loss" (0 where no step was left
// to take), "seconds", "version"}. Throws environment_error.
void write_run_record(const std::filesystem::path& folder, const TrainOutcome& outcome);

// Whether an earlier training there came to its end; the record then stays, but is as new as one written now.
[[nodiscard]] bool confirm_finished(const std::filesystem::path& folder);

// Removes what an earlier training said, before another begins there.
void forget_run_record(const std::filesystem::path& folder);

}  // namespace plume::unet
