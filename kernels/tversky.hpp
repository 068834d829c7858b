// From the sums over pixels to Tversky's loss and its slopes, written once for CPU and CUDA.
#pragma once

#include <cmath>

#include "kernels/base/host_device.hpp"
#include "kernels/loss.hpp"

namespace plume::kernels {

// The loss's derivative by a probability of one class, for a pixel of weight 1: linear in y.
struct TverskySlope {
  double miss = 0;  // where y is 0
  double hit = 0;   // where it is 1
};

// Of one class, by weight.
struct TverskySums {
  double both = 0;   // sum p y
  double total = 0;  // alpha sum p + beta sum y

  // 1 - Tversky's index, to the power of gamma.
  [[nodiscard]] PLUME_HD double loss(const TverskySettings& settings) const {
    using std::pow;
    const double missing = whole(settings) > 0 ? 1 - part(settings) / whole(settings) : 0;
    return settings.gamma == 1 ? missing : missing > 0 ? pow(missing, settings.gamma) : 0;
  }
  // Times scale. Of a power below 1 the slope has no end where nothing is missing; none is taken there.
  [[nodiscard]] PLUME_HD TverskySlope slope(const TverskySettings& settings, double scale) const {
    using std::pow;
    const double below = whole(settings);
    if (!(below > 0)) return {};
    const double index = part(settings) / below;
    const double missing = 1 - index;
    const double outer = settings.gamma == 1 ? 1 : missing > 0 ? settings.gamma * pow(missing, settings.gamma - 1) : 0;
    const double factor = scale * outer / below;
    return {factor * index * settings.alpha, factor * (index * (1 - settings.beta) - 1)};
  }

 private:
  [[nodiscard]] PLUME_HD double part(const TverskySettings& settings) const { return both + settings.smooth; }
  [[nodiscard]] PLUME_HD double whole(const TverskySettings& settings) const {
    return (1 - settings.alpha - settings.beta) * both + total + settings.smooth;
  }
};

}  // namespace plume::kernels
