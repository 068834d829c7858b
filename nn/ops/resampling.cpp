// Max-pooling and twofold enlargement.
#include "kernels/pooling.hpp"
#include "kernels/profile.hpp"
#include "nn/ops/ops.hpp"
#include "nn/tape.hpp"

namespace plume::nn {

Tensor max_pool(const Context& context, const Tensor& x) {
  const Shape in = x.shape();
  const Shape shape{in.n, in.h / 2, in.w / 2, in.c};
  Tensor y = context.allocate(shape, x.dtype(), x.name() + ".pool");
  Block index = context.tape ? context.arena.allocate(shape.count(), y.name() + ".index") : Block();
  auto* which = reinterpret_cast<std::uint8_t*>(index.data());
  const kernels::ProfileRange range(context.stream, y.name(), "forward");
  context.run(x.dtype(), [&](auto& stream, auto element) {
    using T = decltype(element);
    kernels::max_pool_forward<T>(y.image<T>(), which, x.image<T>(), stream);
  });
  if (context.tape) context.tape->record(MaxPoolRecord{x, y, std::move(index)});
  return y;
}

Tensor upsample(const Context& context, const Tensor& x, kernels::Interpolation interpolation) {
  const Shape in = x.shape();
  Tensor y = context.allocate({in.n, 2 * in.h, 2 * in.w, in.c}, x.dtype(), x.name() + ".upsample");
  const kernels::ProfileRange range(context.stream, y.name(), "forward");
  context.run(x.dtype(), [&](auto& stream, auto element) {
    using T = decltype(element);
    kernels::upsample_forward<T>(y.image<T>(), x.image<T>(), interpolation, stream);
  });
  if (context.tape) context.tape->record(UpsampleRecord{x, y, interpolation});
  return y;
}

}  // namespace plume::nn
