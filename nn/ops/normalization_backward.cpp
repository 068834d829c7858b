// The gradient of batch normalisation, of the ReLU and of the max-pool behind it.
#include <vector>

#include "kernels/batch_norm.hpp"
#include "kernels/memory.hpp"
#include "nn/ops/backward.hpp"
#include "nn/ops/input_images.hpp"

namespace plume::nn {
namespace {

// Where a scale's or shift's gradient goes: its own, or, as x's gradient takes the same sums, memory that nobody reads.
struct VectorGradient {
  VectorGradient(const Context& context, const Tensor& parameter) {
    if (parameter.wants_gradient()) {
      data = parameter.gradient<std::byte>();
      return;
    }
    unread = context.arena.allocate(parameter.bytes(), parameter.name() + ".frozen");
    data = unread.data();
    context.run([&](auto& stream) { kernels::fill_zero(data, parameter.bytes(), stream); });
  }

  Block unread;
  std::byte* data = nullptr;
};

}  // namespace

void backward(const Context& context, const BatchNormRecord& record) {
  const bool pooled = record.pooled && record.pooled.has_gradient();
  if (!record.y.has_gradient()) {  // only what was pooled is read
    record.y.prepare_gradient(context.arena);
    context.run([&](auto& stream) { kernels::fill_zero(record.y.gradient<std::byte>(), record.y.bytes(), stream); });
  }
  const bool in_place =
      record.sole_use && record.x.size() == 1 && record.x.front().wants_gradient() && !record.x.front().has_gradient();
  if (in_place) record.x.front().adopt_gradient(record.y);
  const Tensor& grad_owner = in_place ? record.x.front() : record.y;
  record.x.restore(context);
  auto slots = in_place ? std::vector<GradientSlot>(1) : gradient_slots(context, record.x);
  if (in_place) {
    slots[0].tensor = record.x.front();
    slots[0].wanted = true;
  }
  const VectorGradient gamma(context, record.gamma);
  const VectorGradient beta(context, record.beta);
  context.run(record.y.dtype(), [&](auto& stream, auto element) {
    using T = decltype(element);
    using W = Wide<T>;
    const auto grad_y = grad_owner.gradient_image<T>();
    auto slot = slots.begin();
    for_inputs<T>(record.x, [&](kernels::Image<T> image, int first) {
      kernels::NormSaved<T> saved{image,
                                  record.mean.data<W>() + first,
                                  record.inverse_std.data<W>() + first,
                                  record.gamma.data<W>() + first,
                                  record.beta.data<W>() + first,
                                  record.relu,
                                  record.batch,
                                  context.across};
      if (pooled) saved.pooled = {record.pooled.gradient_image<T>(), index_bytes(record.index)};
      kernels::normalize_backward<T>(slot->image<T>(), reinterpret_cast<W*>(gamma.data) + first,
                                     reinterpret_cast<W*>(beta.data) + first, grad_y.channels(first, image.c), saved,
                                     slot->add, context.accumulate, stream);
      ++slot;
    });
  });
  if (pooled) record.pooled.drop_gradient();
}

}  // namespace plume::nn
