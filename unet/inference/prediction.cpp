// Threshold, or the likeliest class.
#include "unet/inference/prediction.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace plume::unet {

double Prediction::smoke_fraction() const {
  const auto found = std::count_if(labels.begin(), labels.end(), [](std::uint8_t label) { return label != 0; });
  return static_cast<double>(found) / static_cast<double>(labels.size());
}

Prediction decide(std::vector<float> probability, const data::Raster& image, int classes, float threshold) {
  Prediction result{image.height, image.width, classes, std::move(probability), {}, {}};
  const auto channels = static_cast<std::size_t>(classes);
  const std::size_t pixels = result.probability.size() / channels;
  result.labels.resize(pixels);
  result.confidence.resize(pixels);
  for (std::size_t p = 0; p < pixels; ++p) {
    float* values = result.probability.data() + p * channels;
    if (!image.valid.empty() && image.valid[p] == 0) std::fill_n(values, channels, 0.0F);
    const auto best = classes == 1 ? 0 : std::max_element(values, values + classes) - values;
    result.confidence[p] = values[best];
    result.labels[p] =
        classes == 1 ? static_cast<std::uint8_t>(values[0] > threshold) : static_cast<std::uint8_t>(best);
  }
  return result;
}

}  // namespace plume::unet
