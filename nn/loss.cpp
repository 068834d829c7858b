// The loss terms put together.
#include "nn/loss.hpp"

#include "kernels/loss.hpp"
#include "nn/ops/backward.hpp"

namespace plume::nn {

double loss(const Context& context, const Tensor& logits, const Targets& targets, const LossSettings& settings,
            double scale) {
  const GradientSlot slot = context.tape ? GradientSlot(context, logits) : GradientSlot();
  double value = 0;
  context.run(logits.dtype(), [&](auto& stream, auto element) {
    using T = decltype(element);
    const kernels::PixelTargets<T> pixels{targets.labels, static_cast<const T*>(targets.weights)};
    const kernels::Image<const T> z = logits.image<T>();
    bool add = slot.add;
    const auto gradient = [&](double weight) {
      const kernels::LossGradient<T> to{slot.image<T>(), scale * weight, add};
      add = true;
      return to;
    };
    if (settings.cross_entropy != 0) {
      const auto to = gradient(settings.cross_entropy);
      value += settings.cross_entropy * (z.c == 1 ? kernels::bce_with_logits<T>(to, z, pixels, stream)
                                                  : kernels::softmax_cross_entropy<T>(to, z, pixels, stream));
    }
    if (settings.dice != 0) {
      value += settings.dice * kernels::dice<T>(gradient(settings.dice), z, pixels, settings.dice_smooth, stream);
    }
  });
  return value;
}

}  // namespace plume::nn
