// Parts from the left, and in which order they go where there is no room.
#include "unet/progress_line.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>

namespace plume::unet {
namespace {

std::string duration(double seconds) {
  const auto whole = static_cast<long>(seconds + 0.5);
  if (whole >= 3600) return fmt::format("{}h{:02}m", whole / 3600, whole / 60 % 60);
  return fmt::format("{}m{:02}s", whole / 60, whole % 60);
}

std::string bar(const TrainProgress& progress) {
  constexpr std::int64_t width = 10;
  const std::int64_t steps = std::max<std::int64_t>(progress.steps, 1);
  const auto filled = static_cast<std::size_t>(std::clamp<std::int64_t>(progress.step * width / steps, 0, width));
  return '[' + std::string(filled, '=') + std::string(static_cast<std::size_t>(width) - filled, ' ') + "] ";
}

struct Part {
  std::string text;
  int rank;  // 0 stays; of the others the highest goes first
};

}  // namespace

std::string progress_line(const TrainProgress& progress, int columns) {
  const double left = progress.seconds_per_step * static_cast<double>(progress.steps - progress.step);
  std::array parts{Part{bar(progress), 3},
                   Part{fmt::format("{}/{}", progress.step, progress.steps), 0},
                   Part{fmt::format("  epoch {}", progress.epoch), 4},
                   Part{fmt::format("  loss {:.4f}", progress.loss), 0},
                   Part{progress.iou ? fmt::format("  IoU {:.4f}", *progress.iou) : std::string(), 1},
                   Part{fmt::format("  {:.1f} images/s", progress.images_per_second), 2},
                   Part{fmt::format("  data wait {:.0f} %", 100 * progress.data_wait), 5},
                   Part{"  ETA " + duration(left), 0}};
  std::string line;
  for (int most = 5; most >= 0; --most) {
    line.clear();
    for (const Part& part : parts)
      if (part.rank <= most) line += part.text;
    if (line.size() < static_cast<std::size_t>(std::max(columns, 0))) break;
  }
  return line;
}

}  // namespace plume::unet
