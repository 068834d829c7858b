#include "unet/calibrate.hpp"

#include <algorithm>
#include <cmath>

#include "kernels/base/error.hpp"

namespace plume::unet {
namespace {

Network layer_by_layer(const Network& network) {
  Network copy(network.graph(), DType::f32, Fusion::off, network.stream());
  for (const nn::ParameterInfo& info : network.parameters().all()) {
    copy.parameters().from_named(info, network.parameters().to_named(info));
  }
  return copy;
}

// Widens ranges to what an image's channels hold.
void widen(Range* ranges, const kernels::Image<const float>& image) {
  const auto channels = static_cast<std::size_t>(image.c);
  std::vector<float> low(channels);
  std::vector<float> high(channels);
  std::vector<float> nothing(
      channels);  // stays 0 unless a value is not finite, which minimum and maximum may pass over
  for (std::ptrdiff_t p = 0; p < image.pixels(); ++p) {
    const float* pixel = image.data + p * image.stride;
    for (std::size_t c = 0; c < channels; ++c) {
      low[c] = std::min(low[c], pixel[c]);
      high[c] = std::max(high[c], pixel[c]);
      nothing[c] += pixel[c] * 0.0F;
    }
  }
  for (std::size_t c = 0; c < channels; ++c) {
    if (nothing[c] != 0 || std::isnan(nothing[c])) throw input_error("the network yields values that are not finite");
    ranges[c] = {std::min(ranges[c].low, low[c]), std::max(ranges[c].high, high[c])};
  }
}

}  // namespace

Calibration::Calibration(const Network& network) : network_(layer_by_layer(network)), arena_(network.stream()) {
  const auto want = [&](int layer) { wanted_.insert(network.graph().layers[static_cast<std::size_t>(layer)].name); };
  for (const Step& step : network.plan().steps) {
    want(step.output - 1);
    if (step.norm >= 0) want(step.norm);
  }
}

void Calibration::add(const float* pixels, const nn::Shape& shape) {
  const nn::Context context{.stream = *network_.stream(), .arena = arena_};
  const nn::Tensor images = context.allocate(shape, DType::f32, "images");
  std::copy_n(pixels, shape.count(), images.data<float>());
  const auto observe = [&](const std::string& layer, const nn::Inputs& output) {
    if (!wanted_.contains(layer)) return;
    std::vector<Range>& ranges = ranges_[layer];
    ranges.resize(static_cast<std::size_t>(output.shape().c));
    Range* first = ranges.data();
    for (const nn::Tensor& part : output) {
      widen(first, part.image<float>());
      first += part.shape().c;
    }
  };
  static_cast<void>(network_(context, images, observe));
}

}  // namespace plume::unet
