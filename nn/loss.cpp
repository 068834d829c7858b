// The loss terms put together.
#include "nn/loss.hpp"

#include <stdexcept>

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
    const kernels::PixelTargets<T> pixels{targets.labels, static_cast<const Wide<T>*>(targets.weights), nullptr,
                                          static_cast<const Wide<T>*>(targets.soft)};
    kernels::PixelTargets<T> by_class = pixels;
    by_class.class_weights = static_cast<const Wide<T>*>(targets.class_weights);
    const kernels::Image<const T> z = logits.image<T>();
    kernels::LossOutput<T> to{value, slot.image<T>()};
    to.scale = scale;
    to.add_grad = slot.add;
    // The first term writes, the others add.
    const auto term = [&](double weight, const auto& run) {
      if (weight == 0) return;
      to.weight = weight;
      run();
      to.add_grad = true;
      to.add_value = true;
    };
    term(settings.cross_entropy, [&] {
      if (z.c == 1) {
        kernels::bce_with_logits<T>(to, z, by_class, settings.label_smoothing, stream);
      } else {
        kernels::softmax_cross_entropy<T>(to, z, by_class, settings.label_smoothing, stream);
      }
    });
    term(settings.focal, [&] { kernels::focal<T>(to, z, by_class, settings.focal_gamma, stream); });
    term(settings.ordinal, [&] {
      if (z.c < 2 || z.c > kernels::most_ordinal_classes) throw std::logic_error("the ordinal loss is of some classes");
      kernels::ordinal<T>(to, z, by_class, stream);
    });
    term(settings.dice, [&] { kernels::dice<T>(to, z, pixels, settings.dice_smooth, stream); });
    term(settings.tversky, [&] { kernels::tversky<T>(to, z, pixels, settings.tversky_shape, stream); });
    term(settings.lovasz, [&] { kernels::lovasz<T>(to, z, pixels, stream); });
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
