// Tiles along an axis.
#include "unet/inference/tiling.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "kernels/base/error.hpp"
#include "unet/inference/padding.hpp"

namespace plume::unet {
namespace {

// A Gaussian about a tile's centre.
std::vector<double> weights_of_tile(int size) {
  const double centre = (size - 1) / 2.0;
  const double sigma = size / 8.0;
  std::vector<double> weights;
  for (int i = 0; i < size; ++i) weights.push_back(std::exp(-(i - centre) * (i - centre) / (2 * sigma * sigma)));
  return weights;
}

}  // namespace

int least_tile(int before, int after, int multiple) {
  return round_up(before, multiple) + round_up(after, multiple) + multiple;
}

void require_tile(int largest, int before, int after, int multiple) {
  const int least = least_tile(before, after, multiple);
  if (largest / multiple * multiple < least)
    throw usage_error("tiles of {} are too small for the model, which looks {} pixels around; it takes {} or more",
                      largest, std::max(before, after), least);
}

TileAxis cut_axis(int extent, int before, int after, int multiple, int largest) {
  const int limit = largest / multiple * multiple;
  if (extent <= limit) return {extent, {{.kept_last = extent}}};
  require_tile(largest, before, after, multiple);
  // n tiles cover n * size - (n - 1) * margins.
  const int margin_after = round_up(after, multiple);
  const int margins = round_up(before, multiple) + margin_after;
  const int count = (extent - margins + limit - margins - 1) / (limit - margins);
  const auto covered = std::int64_t{extent} + std::int64_t{count - 1} * margins;
  TileAxis axis{round_up(static_cast<int>((covered + count - 1) / count), multiple), {}};
  const int stride = axis.size - margins;
  for (int tile = 0, kept = 0; tile < count; ++tile) {
    const int first = std::min(tile * stride, extent - axis.size);
    const int last = tile == count - 1 ? extent : first + axis.size - margin_after;
    axis.spans.push_back({first, kept, last});
    kept = last;
  }
  return axis;
}

TileAxis overlap_axis(int extent, int multiple, int largest, double overlap) {
  const int size = largest / multiple * multiple;
  if (size == 0)
    throw usage_error("tiles of {} are too small for the model, which takes multiples of {}", largest, multiple);
  if (extent <= size) return {extent, {{.kept_last = extent}}};
  const int stride = std::max(1, static_cast<int>(size * (1 - overlap)) / multiple) * multiple;
  const int steps = (extent - size + stride - 1) / stride;
  const std::vector<double> weights = weights_of_tile(size);
  std::vector<double> sums(static_cast<std::size_t>(extent));
  TileAxis axis{size, {}};
  for (int step = 0; step <= steps; ++step) {
    const auto first = static_cast<int>(std::int64_t{extent - size} / multiple * step / steps) * multiple;
    axis.spans.push_back({first, first, first + size});
    for (std::size_t i = 0; i < weights.size(); ++i) sums[static_cast<std::size_t>(first) + i] += weights[i];
  }
  for (TileSpan& span : axis.spans) {
    for (std::size_t i = 0; i < weights.size(); ++i)
      span.weights.push_back(static_cast<float>(weights[i] / sums[static_cast<std::size_t>(span.first) + i]));
  }
  return axis;
}

}  // namespace plume::unet
