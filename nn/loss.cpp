// The loss terms put together.
#include "nn/loss.hpp"

#include "kernels/loss.hpp"
#include "kernels/memory.hpp"
#include "kernels/profile.hpp"
#include "nn/ops/backward.hpp"

namespace plume::nn {

void loss(const Context& context, double* value, const Tensor& logits, const Targets& targets,
          const LossSettings& settings, double scale) {
  const kernels::ProfileRange range(context.stream, "loss", "forward");
  const GradientSlot slot = context.tape ? GradientSlot(context, logits) : GradientSlot();
  context.run(logits.dtype(), [&](auto& stream, auto element) {
    using T = decltype(element);
    const kernels::PixelTargets<T> pixels{targets.labels, static_cast<const Wide<T>*>(targets.weights)};
    const kernels::Image<const T> z = logits.image<T>();
    kernels::LossOutput<T> to{value, slot.image<T>()};
    to.scale = scale;
    to.add_grad = slot.add;
    if (settings.cross_entropy != 0) {
      to.weight = settings.cross_entropy;
      if (z.c == 1) {
        kernels::bce_with_logits<T>(to, z, pixels, stream);
      } else {
        kernels::softmax_cross_entropy<T>(to, z, pixels, stream);
      }
      to.add_grad = true;
      to.add_value = true;
    }
    if (settings.dice != 0) {
      to.weight = settings.dice;
      kernels::dice<T>(to, z, pixels, settings.dice_smooth, stream);
    }
  });
}

double loss(const Context& context, const Tensor& logits, const Targets& targets, const LossSettings& settings,
            double scale) {
  const Block memory = context.arena.allocate(sizeof(double), "loss");
  auto* there = reinterpret_cast<double*>(memory.data());
  loss(context, there, logits, targets, settings, scale);
  double value = 0;
  context.run([&](auto& stream) { kernels::download(&value, there, sizeof value, stream); });
  return value;
}

}  // namespace plume::nn
