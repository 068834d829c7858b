// Batch normalisation, and the units made of it and a convolution.
#include <utility>

#include "kernels/profile.hpp"
#include "nn/ops/input_images.hpp"
#include "nn/ops/ops.hpp"
#include "nn/tape.hpp"

namespace plume::nn {
namespace {

std::string layer_of(const BatchNorm& norm) {
  const std::string& name = norm.gamma.name();
  return name.substr(0, name.rfind('.'));
}

struct Statistics {
  Tensor mean;
  Tensor inverse_std;
};

// The batch's in training, which feed the running ones; else the running ones.
Statistics statistics_of(const Context& context, const Inputs& x, const BatchNorm& norm) {
  const int channels = x.shape().c;
  const auto vector = [&](const char* name) {
    return context.allocate({1, 1, 1, channels}, widened(x.dtype()), layer_of(norm) + name);
  };
  Statistics statistics{vector(".mean"), vector(".inverse_std")};
  context.run(x.dtype(), [&](auto& stream, auto element) {
    using T = decltype(element);
    using W = Wide<T>;
    W* mean = statistics.mean.data<W>();
    W* inverse_std = statistics.inverse_std.data<W>();
    if (!context.training) {
      kernels::running_statistics(mean, inverse_std, norm.running_mean.data<W>(), norm.running_var.data<W>(), channels,
                                  norm.settings, stream);
      return;
    }
    kernels::NormSettings settings = norm.settings;
    settings.across = context.across;
    for_inputs<T>(x, [&](kernels::Image<T> image, int first) {
      kernels::batch_statistics<T>(mean + first, inverse_std + first, norm.running_mean.data<W>() + first,
                                   norm.running_var.data<W>() + first, image, settings, stream);
    });
  });
  return statistics;
}

// y, which is one tensor or x itself, from x.
void apply(const Context& context, const Inputs& y, const Inputs& x, const Statistics& statistics,
           const BatchNorm& norm, bool relu) {
  context.run(x.dtype(), [&](auto& stream, auto element) {
    using T = decltype(element);
    using W = Wide<T>;
    auto part = y.begin();
    for_inputs<T>(x, [&](kernels::Image<T> image, int first) {
      const kernels::Image<T> to = y.size() == 1 ? y.front().image<T>().channels(first, image.c) : (part++)->image<T>();
      kernels::normalize<T>(to, image, statistics.mean.data<W>() + first, statistics.inverse_std.data<W>() + first,
                            norm.gamma.data<W>() + first, norm.beta.data<W>() + first, relu, stream);
    });
  });
}

// Batch normalisation of x, one tensor where it is to be pooled.
Pooled normalize(const Context& context, const Inputs& x, const BatchNorm& norm, bool relu, bool sole_use, bool pool) {
  const Shape shape = x.shape();
  const std::string layer = layer_of(norm);
  Tensor y = context.allocate(shape, x.dtype(), layer);
  Tensor pooled;
  Block index;
  if (pool) {
    const Shape half{shape.n, shape.h / 2, shape.w / 2, shape.c};
    pooled = context.allocate(half, x.dtype(), layer + ".pool");
    if (context.tape) index = context.arena.allocate(half.count(), pooled.name() + ".index");
  }
  const kernels::ProfileRange range(context.stream, layer, "forward");
  const Statistics statistics = statistics_of(context, x, norm);
  if (pool) {
    context.run(x.dtype(), [&](auto& stream, auto element) {
      using T = decltype(element);
      using W = Wide<T>;
      kernels::normalize_pool<T>(y.image<T>(), pooled.image<T>(), index_bytes(index), x.front().image<T>(),
                                 statistics.mean.data<W>(), statistics.inverse_std.data<W>(), norm.gamma.data<W>(),
                                 norm.beta.data<W>(), relu, stream);
    });
  } else {
    apply(context, y, x, statistics, norm, relu);
  }
  if (context.tape) {
    if (context.recompute) {
      y.set_recompute([=](const Context& later, const Tensor& again) {
        const kernels::ProfileRange range_again(later.stream, again.name(), "recomputation");
        x.restore(later);  // it may be a normalised value itself
        apply(later, again, x, statistics, norm, relu);
      });
    }
    context.tape->record(BatchNormRecord{x, y, norm.gamma, norm.beta, statistics.mean, statistics.inverse_std, relu,
                                         context.training, sole_use, pooled, std::move(index)});
  }
  return {y, pooled};
}

Inputs normalize_in_place(const Context& context, const Inputs& x, const BatchNorm& norm) {
  const kernels::ProfileRange range(context.stream, layer_of(norm), "forward");
  apply(context, x, x, statistics_of(context, x, norm), norm, false);
  return x;
}

}  // namespace

Tensor batch_norm(const Context& context, const Inputs& x, const BatchNorm& norm, bool relu, bool sole_use) {
  return normalize(context, x, norm, relu, sole_use, false).y;
}

Tensor conv_norm_relu(const Context& context, const Inputs& x, const Conv& conv, const BatchNorm& norm) {
  return batch_norm(context, conv2d(context, x, conv), norm, true, true);
}

Pooled conv_norm_relu_pool(const Context& context, const Inputs& x, const Conv& conv, const BatchNorm& norm) {
  return normalize(context, conv2d(context, x, conv), norm, true, true, true);
}

Tensor norm_conv_relu(const Context& context, const Inputs& x, const BatchNorm& norm, const Conv& conv, bool last_use) {
  if (last_use && !context.tape) return conv2d(context, normalize_in_place(context, x, norm), conv, true);
  const Tensor normalised = batch_norm(context, x, norm);
  Tensor y = conv2d(context, normalised, conv, true);
  normalised.release();
  return y;
}

}  // namespace plume::nn
