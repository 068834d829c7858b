// Batch normalisation, and the units made of it and a convolution.
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

}  // namespace

Tensor batch_norm(const Context& context, const Inputs& x, const BatchNorm& norm, bool relu, bool sole_use) {
  const Shape shape = x.shape();
  const std::string& name = norm.gamma.name();
  const std::string layer = name.substr(0, name.rfind('.'));
  Tensor y = context.allocate(shape, x.dtype(), layer);
  const Shape vector{1, 1, 1, shape.c};
  const Tensor mean = context.allocate(vector, widened(x.dtype()), layer + ".mean");
  const Tensor inverse_std = context.allocate(vector, widened(x.dtype()), layer + ".inverse_std");
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
      if (context.training) {
        kernels::batch_statistics<T>(mean_at, inverse_at, norm.running_mean.data<W>() + first,
                                     norm.running_var.data<W>() + first, image, norm.settings, stream);
      }
      kernels::normalize<T>(y.image<T>().channels(first, image.c), image, mean_at, inverse_at,
                            norm.gamma.data<W>() + first, norm.beta.data<W>() + first, relu, stream);
    });
  });
  if (context.tape) {
    context.tape->record(
        BatchNormRecord{x, y, norm.gamma, norm.beta, mean, inverse_std, relu, context.training, sole_use});
  }
  return y;
}

void backward(const Context& context, const BatchNormRecord& record) {
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
                                  record.batch};
      if (record.relu) saved.y = record.y.image<T>().channels(first, image.c);
      kernels::normalize_backward<T>(slot->image<T>(), record.gamma.gradient<W>() + first,
                                     record.beta.gradient<W>() + first, grad_y.channels(first, image.c), saved,
                                     slot->add, true, stream);
      ++slot;
    });
  });
}

Tensor conv_norm_relu(const Context& context, const Inputs& x, const Conv& conv, const BatchNorm& norm) {
  return batch_norm(context, conv2d(context, x, conv), norm, true, true);
}

Tensor norm_conv_relu(const Context& context, const Inputs& x, const BatchNorm& norm, const Conv& conv) {
  return conv2d(context, batch_norm(context, x, norm), conv, true);
}

}  // namespace plume::nn
