// A search for the first value that is not finite.
#include "unet/not_finite.hpp"

#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

#include "nn/arena.hpp"
#include "nn/context.hpp"
#include "nn/transfer.hpp"

namespace plume::unet {
namespace {

bool all_finite(std::span<const float> values) {
  return std::all_of(values.begin(), values.end(), [](float value) { return std::isfinite(value); });
}

// Of the last value in each step's list: a concatenation computes nothing.
std::string first_output(const Network& network, kernels::Stream& stream, const nn::Tensor& images) {
  nn::Arena arena(&stream);
  const nn::Context context{.stream = stream, .arena = arena, .training = true};
  std::string found;
  static_cast<void>(network(context, images, [&](const std::string& layer, const nn::Inputs& output) {
    if (found.empty() && output.size() == 1 && !all_finite(nn::download(output.front(), stream))) found = layer;
  }));
  return found;
}

}  // namespace

std::string find_not_finite(const Network& network, kernels::Stream& stream, const nn::Tensor& images) {
  const nn::Parameters& parameters = network.parameters();
  for (const nn::ParameterInfo& info : parameters.all()) {
    if (info.kind != nn::ParameterKind::statistic && !all_finite(parameters.to_named(info).values))
      return "the weights of " + info.name;
  }
  if (!all_finite(nn::download(images, stream))) return "the images";
  if (const std::string layer = first_output(network, stream, images); !layer.empty()) return "the output of " + layer;
  const auto& all = parameters.all();
  for (auto info = all.rbegin(); info != all.rend(); ++info) {
    if (info->kind != nn::ParameterKind::statistic && !all_finite(parameters.gradient_to_named(*info).values))
      return "the gradient of " + info->name;
  }
  return "another rank's values";
}

}  // namespace plume::unet
