// The draws of each initialiser.
#include "nn/initialize.hpp"

#include <algorithm>
#include <cmath>

#include "kernels/base/philox.hpp"

namespace plume::nn {
namespace {

constexpr std::uint32_t initialization_purpose = 1;  // of the random draws; others are sampling's

struct Fans {
  double in;
  double out;
};

// PyTorch counts a transposed convolution's fan_in by its second dimension, the output channels.
Fans fans_of(const ParameterInfo& info, Initializer initializer) {
  const double taps = static_cast<double>(info.shape.n) * info.shape.h;
  const bool swapped = info.kind == ParameterKind::conv_transpose_weight && initializer == Initializer::pytorch;
  const double in = swapped ? info.shape.c : info.shape.w;
  const double out = swapped ? info.shape.w : info.shape.c;
  return {taps * in, taps * out};
}

float draw(Philox& random, Initializer initializer, const Fans& fans) {
  const auto uniform = [&](double bound) { return static_cast<float>(bound) * (2 * random.uniform() - 1); };
  switch (initializer) {
    case Initializer::he: return static_cast<float>(std::sqrt(2 / fans.in)) * random.normal();
    case Initializer::glorot: return uniform(std::sqrt(6 / (fans.in + fans.out)));
    case Initializer::pytorch: break;
  }
  return uniform(1 / std::sqrt(fans.in));
}

bool ends_with(std::string_view name, std::string_view ending) {
  return name.size() >= ending.size() && name.substr(name.size() - ending.size()) == ending;
}

}  // namespace

void initialize(Parameters& parameters, Initializer initializer, std::uint64_t seed) {
  Fans fans{1, 1};
  bool behind_conv = false;  // a bias follows its convolution's weight; another vector is a normalisation's
  std::uint32_t place = 0;
  for (const ParameterInfo& info : parameters.all()) {
    Philox random(seed, initialization_purpose, place++);
    NamedTensor values = parameters.to_named(info);
    switch (info.kind) {
      case ParameterKind::conv_weight:
      case ParameterKind::conv_transpose_weight:
        fans = fans_of(info, initializer);
        for (float& value : values.values) value = draw(random, initializer, fans);
        behind_conv = true;
        break;
      case ParameterKind::vector:
        if (behind_conv && ends_with(info.name, ".bias")) {
          if (initializer == Initializer::pytorch) {
            for (float& value : values.values) value = draw(random, initializer, fans);
          }
        } else {
          std::fill(values.values.begin(), values.values.end(), ends_with(info.name, ".weight") ? 1.0F : 0.0F);
        }
        behind_conv = false;
        break;
      case ParameterKind::statistic:
        std::fill(values.values.begin(), values.values.end(), ends_with(info.name, ".running_var") ? 1.0F : 0.0F);
        behind_conv = false;
        break;
    }
    parameters.from_named(info, values);
  }
}

}  // namespace plume::nn
