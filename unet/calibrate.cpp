#include "unet/calibrate.hpp"

#include <algorithm>
#include <span>

namespace plume::unet {
namespace {

Network layer_by_layer(const Network& network) {
  Network copy(network.graph(), DType::f32, Fusion::off, network.stream());
  for (const nn::ParameterInfo& info : network.parameters().all()) {
    copy.parameters().from_named(info, network.parameters().to_named(info));
  }
  return copy;
}

}  // namespace

Calibration::Calibration(const Network& network) : network_(layer_by_layer(network)), arena_(network.stream()) {}

void Calibration::add(const float* pixels, const nn::Shape& shape) {
  const nn::Context context{.stream = *network_.stream(), .arena = arena_};
  const nn::Tensor images = context.allocate(shape, DType::f32, "images");
  std::copy_n(pixels, shape.count(), images.data<float>());
  const auto observe = [&](const std::string& layer, const nn::Inputs& output) {
    for (const nn::Tensor& part : output) {
      histograms_[layer].add(std::span(part.data<float>(), part.shape().count()));
    }
  };
  static_cast<void>(network_(context, images, observe));
}

Ranges Calibration::ranges() const {
  Ranges ranges;
  for (const auto& [layer, histogram] : histograms_) ranges[layer] = histogram.least_error();
  return ranges;
}

}  // namespace plume::unet
