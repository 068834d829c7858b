// The line that a training shows of itself on a terminal.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace plume::unet {

struct TrainProgress {
  std::int64_t step = 0;  // of all
  std::int64_t steps = 0;
  std::int64_t epoch = 0;
  double loss = 0;            // the mean since the last row of the log
  std::optional<double> iou;  // of the last validation
  double images_per_second = 0;
  double data_wait = 0;  // share of the time spent waiting for the loader
  double seconds_per_step = 0;
};

// One line without its end, shorter than `columns`: what matters least is left out first.
[[nodiscard]] std::string progress_line(const TrainProgress& progress, int columns);

}  // namespace plume::unet
