// The loss terms put together.
#include "nn/loss.hpp"

#include <numeric>
#include <stdexcept>

#include "kernels/input.hpp"
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

std::vector<double> deep_loss_weights(const std::vector<int>& heights) {
  const double all = std::accumulate(heights.begin(), heights.end(), 0.0);
  std::vector<double> weights;
  weights.reserve(heights.size());
  for (const int height : heights) weights.push_back(height / all);
  return weights;
}

void deep_loss(const Context& context, double* values, std::span<const Tensor> logits, const Targets& targets,
               const LossSettings& settings, double scale) {
  if (targets.weights != nullptr) throw std::logic_error("weights of pixels have one size");
  std::vector<int> heights;
  heights.reserve(logits.size());
  for (const Tensor& each : logits) heights.push_back(each.shape().h);
  const std::vector<double> weights = deep_loss_weights(heights);
  const Shape& whole = logits.front().shape();
  for (std::size_t i = 0; i < logits.size(); ++i) {
    const Shape& shape = logits[i].shape();
    const auto pixels = shape.count() / static_cast<std::size_t>(shape.c);
    Block coarse;
    Targets own = targets;
    if (i > 0) {
      coarse = context.arena.allocate(pixels, "labels of " + logits[i].name());
      auto* const labels = reinterpret_cast<std::uint8_t*>(coarse.data());
      context.run([&](auto& stream) {
        kernels::subsample_labels({labels, shape.n, shape.h, shape.w, 1},
                                  {targets.labels, whole.n, whole.h, whole.w, 1}, stream);
      });
      own.labels = labels;
    }
    loss(context, values + i, logits[i], own, settings, scale * weights[i]);
  }
}

}  // namespace plume::nn
