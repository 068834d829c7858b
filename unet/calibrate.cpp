// Runs a network layer by layer and watches what each yields.
#include "unet/calibrate.hpp"

#include <algorithm>
#include <cmath>

#include "kernels/base/error.hpp"

namespace plume::unet {
namespace {

Network layer_by_layer(const Network& network) {
  Network copy(network.graph(), DType::f32, Fusion::off, network.stream(), nn::Gradients::no);
  copy_parameters(copy, network);
  return copy;
}

}  // namespace

Calibration::Calibration(const Network& network) : network_(layer_by_layer(network)), arena_(network.stream()) {
  const auto want = [&](int layer) { layers_[network.graph().layers[static_cast<std::size_t>(layer)].name] = {}; };
  for (const Step& step : network.plan().steps) {
    want(step.output - 1);
    if (step.norm >= 0) want(step.norm);
  }
}

void Calibration::add_pixels(Channel* channels, const kernels::Image<const float>& image) {
  const auto count = static_cast<std::size_t>(image.c);
  std::vector<float> low(count);
  std::vector<float> high(count);
  std::vector<double> squares(count);
  for (std::ptrdiff_t p = 0; p < image.pixels(); ++p) {
    const float* pixel = image.data + p * image.stride;
    for (std::size_t c = 0; c < count; ++c) {
      low[c] = std::min(low[c], pixel[c]);
      high[c] = std::max(high[c], pixel[c]);
      squares[c] += static_cast<double>(pixel[c]) * static_cast<double>(pixel[c]);
    }
  }
  for (std::size_t c = 0; c < count; ++c) {
    // A NaN passes by the least and the greatest, but not by the sum.
    if (!std::isfinite(squares[c])) throw input_error("the network yields values that are not finite");
    channels[c].low = std::min(channels[c].low, low[c]);
    channels[c].high = std::max(channels[c].high, high[c]);
    channels[c].squares += squares[c];
  }
}

void Calibration::add(const float* pixels, const nn::Shape& shape) {
  const nn::Context context{.stream = *network_.stream(), .arena = arena_};
  const nn::Tensor images = context.allocate(shape, DType::f32, "images");
  std::copy_n(pixels, shape.count(), images.data<float>());
  const auto observe = [&](const std::string& name, const nn::Inputs& output) {
    const auto found = layers_.find(name);
    if (found == layers_.end()) return;
    Layer& layer = found->second;
    const nn::Shape all = output.shape();
    layer.channels.resize(static_cast<std::size_t>(all.c));
    layer.pixels += std::int64_t{all.n} * all.h * all.w;
    Channel* first = layer.channels.data();
    for (const nn::Tensor& part : output) {
      add_pixels(first, part.image<float>());
      first += part.shape().c;
    }
  };
  static_cast<void>(network_(context, images, observe));
}

Ranges Calibration::ranges() const {
  Ranges ranges;
  for (const auto& [name, layer] : layers_) {
    for (const Channel& channel : layer.channels) {
      const double mean = channel.squares / static_cast<double>(std::max<std::int64_t>(layer.pixels, 1));
      ranges[name].push_back({channel.low, channel.high, static_cast<float>(std::sqrt(mean))});
    }
  }
  return ranges;
}

}  // namespace plume::unet
