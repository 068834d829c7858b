// One pass over the pixels.
#include "data/abi/summary.hpp"

#include <cmath>

namespace plume::data::abi {

bool is_fire(float category) {
  return (category >= 10 && category <= 15) || (category >= 30 && category <= 35);
}

Summary summarize(const Granule& granule) {
  const auto values = granule.read(granule.whole());
  Summary summary{.pixels = static_cast<std::int64_t>(values.size())};
  double sum = 0;
  std::size_t highest = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const float value = values[i];
    if (std::isnan(value)) continue;
    if (summary.measured == 0) summary.least = summary.most = value;
    if (summary.measured == 0 || value > summary.most) highest = i;
    summary.least = std::min(summary.least, value);
    summary.most = std::max(summary.most, value);
    if (granule.quantity() == Quantity::fire_mask && is_fire(value)) ++summary.fires;
    sum += value;
    ++summary.measured;
  }
  if (summary.measured == 0) return summary;
  summary.mean = sum / static_cast<double>(summary.measured);
  const auto& [projection, x, y] = granule.grid();
  const auto width = static_cast<std::size_t>(x.count);
  const std::size_t row = highest / width;
  const std::size_t column = highest % width;
  summary.place_of_most =
      projection.place({x.first + x.step * static_cast<double>(column), y.first + y.step * static_cast<double>(row)});
  return summary;
}

}  // namespace plume::data::abi
