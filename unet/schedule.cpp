// Learning-rate curves.
#include "unet/schedule.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace plume::unet {
namespace {

constexpr double one_cycle_start = 1.0 / 25;

// From `from` at 0 to `to` at 1.
double cosine(double from, double to, double progress) {
  return to + (from - to) * (1 + std::cos(std::numbers::pi * std::clamp(progress, 0.0, 1.0))) / 2;
}

}  // namespace

double learning_rate(const ScheduleSettings& settings, std::int64_t step, std::int64_t steps, int reductions) {
  const auto last = static_cast<double>(std::max<std::int64_t>(steps - 1, 1));
  const double warm = settings.warmup * static_cast<double>(steps);
  const auto now = static_cast<double>(step);
  const double progress = last > warm ? (now - warm) / (last - warm) : 1.0;
  const bool warming = now < warm;
  const double rising = (now + 1) / (warm + 1);
  double factor = 1;
  switch (settings.kind) {
    case ScheduleSettings::Kind::constant: factor = warming ? rising : 1.0; break;
    case ScheduleSettings::Kind::cosine: factor = warming ? rising : cosine(1.0, settings.min_factor, progress); break;
    case ScheduleSettings::Kind::one_cycle:
      factor = warming ? cosine(one_cycle_start, 1.0, now / warm) : cosine(1.0, settings.min_factor, progress);
      break;
    case ScheduleSettings::Kind::poly:
      factor = warming ? rising : std::max(std::pow(1 - std::min(progress, 1.0), settings.power), settings.min_factor);
      break;
    case ScheduleSettings::Kind::plateau:
      factor = (warming ? rising : 1.0) * std::max(std::pow(settings.factor, reductions), settings.min_factor);
      break;
  }
  return settings.lr * factor;
}

}  // namespace plume::unet
