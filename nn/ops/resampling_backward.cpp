// Gradients of max-pooling and twofold enlargement.
#include "kernels/pooling.hpp"
#include "nn/ops/backward.hpp"

namespace plume::nn {

void backward(const Context& context, const MaxPoolRecord& record) {
  const GradientSlot slot(context, record.x);
  if (!slot.wanted) return;
  const auto* which = reinterpret_cast<const std::uint8_t*>(record.index.data());
  context.run(record.y.dtype(), [&](auto& stream, auto element) {
    using T = decltype(element);
    kernels::max_pool_backward<T>(slot.image<T>(), record.y.gradient_image<T>(), which, slot.add, stream);
  });
}

void backward(const Context& context, const UpsampleRecord& record) {
  const GradientSlot slot(context, record.x);
  if (!slot.wanted) return;
  context.run(record.y.dtype(), [&](auto& stream, auto element) {
    using T = decltype(element);
    kernels::upsample_backward<T>(slot.image<T>(), record.y.gradient_image<T>(), record.interpolation, slot.add,
                                  stream);
  });
}

}  // namespace plume::nn
