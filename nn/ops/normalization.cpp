// Batch normalisation, and the units made of it and a convolution.
#include <utility>

#include "kernels/memory.hpp"
#include "kernels/profile.hpp"
#include "nn/ops/backward.hpp"
#include "nn/ops/ops.hpp"
#include "nn/tape.hpp"

namespace plume::nn {
namespace {

// Runs body(tensor's image, first channel) for each of the concatenated inputs.
template <class T, class Body>
void for_inputs(const Inputs& x, const Body& body) {
  int first = 0;
  for (const Tensor& tensor : x) {
    body(tensor.image<T>(), first);
    first += tensor.shape().c;
  }
}

std::uint8_t* bytes_of(const Block& block) {
  return reinterpret_cast<std::uint8_t*>(block.data());
}

// Batch normalisation of x, one tensor where it is to be pooled.
Pooled normalize(const Context& context, const Inputs& x, const BatchNorm& norm, bool relu, bool sole_use, bool pool) {
  const Shape shape = x.shape();
  const std::string& name = norm.gamma.name();
  const std::string layer = name.substr(0, name.rfind('.'));
  Tensor y = context.allocate(shape, x.dtype(), layer);
  const Shape vector{1, 1, 1, shape.c};
  const Tensor mean = context.allocate(vector, widened(x.dtype()), layer + ".mean");
  const Tensor inverse_std = context.allocate(vector, widened(x.dtype()), layer + ".inverse_std");
  Tensor pooled;
  Block index;
  if (pool) {
    const Shape half{shape.n, shape.h / 2, shape.w / 2, shape.c};
    pooled = context.allocate(half, x.dtype(), layer + ".pool");
    if (context.tape) index = context.arena.allocate(half.count(), pooled.name() + ".index");
  }
  const kernels::ProfileRange range(context.stream, layer, "forward");
  context.run(x.dtype(), [&](auto& stream, auto element) {
    using T = decltype(element);
    using W = Wide<T>;
    if (!context.training) {
      kernels::running_statistics(mean.data<W>(), inverse_std.data<W>(), norm.running_mean.data<W>(),
                                  norm.running_var.data<W>(), shape.c, norm.settings, stream);
    }
    for_inputs<T>(x, [&](kernels::Image<T> image, int first) {
      W* mean_at = mean.data<W>() + first;
      W* inverse_at = inverse_std.data<W>() + first;
      const W* gamma = norm.gamma.data<W>() + first;
      const W* beta = norm.beta.data<W>() + first;
      const kernels::Image<T> to = y.image<T>().channels(first, image.c);
      if (context.training) {
        kernels::batch_statistics<T>(mean_at, inverse_at, norm.running_mean.data<W>() + first,
                                     norm.running_var.data<W>() + first, image, norm.settings, stream);
      }
      if (pool) {
        kernels::normalize_pool<T>(to, pooled.image<T>(), bytes_of(index), image, mean_at, inverse_at, gamma, beta,
                                   relu, stream);
      } else {
        kernels::normalize<T>(to, image, mean_at, inverse_at, gamma, beta, relu, stream);
      }
    });
  });
  if (context.tape) {
    context.tape->record(BatchNormRecord{x, y, norm.gamma, norm.beta, mean, inverse_std, relu, context.training,
                                         sole_use, pooled, std::move(index)});
  }
  return {y, pooled};
}

}  // namespace

Tensor batch_norm(const Context& context, const Inputs& x, const BatchNorm& norm, bool relu, bool sole_use) {
  return normalize(context, x, norm, relu, sole_use, false).y;
}

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
  auto slots = in_place ? std::vector<GradientSlot>(1) : gradient_slots(context, record.x);
  if (in_place) {
    slots[0].tensor = record.x.front();
    slots[0].wanted = true;
  }
  context.run(record.y.dtype(), [&](auto& stream, auto element) {
    using T = decltype(element);
    using W = Wide<T>;
    const auto grad_y = grad_owner.gradient_image<T>();
    auto slot = slots.begin();
    for_inputs<T>(record.x, [&](kernels::Image<T> image, int first) {
      kernels::NormSaved<T> saved{image,
                                  {},
                                  record.mean.data<W>() + first,
                                  record.inverse_std.data<W>() + first,
                                  record.gamma.data<W>() + first,
                                  record.batch,
                                  record.beta.data<W>() + first};
      if (pooled) saved.pooled = {record.pooled.gradient_image<T>(), bytes_of(record.index)};
      if (record.relu) saved.y = record.y.image<T>().channels(first, image.c);
      kernels::normalize_backward<T>(slot->image<T>(), record.gamma.gradient<W>() + first,
                                     record.beta.gradient<W>() + first, grad_y.channels(first, image.c), saved,
                                     slot->add, context.accumulate, stream);
      ++slot;
    });
  });
  if (pooled) record.pooled.drop_gradient();
}

Tensor conv_norm_relu(const Context& context, const Inputs& x, const Conv& conv, const BatchNorm& norm) {
  return batch_norm(context, conv2d(context, x, conv), norm, true, true);
}

Pooled conv_norm_relu_pool(const Context& context, const Inputs& x, const Conv& conv, const BatchNorm& norm) {
  return normalize(context, conv2d(context, x, conv), norm, true, true, true);
}

Tensor norm_conv_relu(const Context& context, const Inputs& x, const BatchNorm& norm, const Conv& conv) {
  return conv2d(context, batch_norm(context, x, norm), conv, true);
}

}  // namespace plume::nn
