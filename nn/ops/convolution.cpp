// Convolution and transposed convolution, with bias and ReLU in the kernel's epilogue.
#include "kernels/profile.hpp"
#include "nn/ops/flops.hpp"
#include "nn/ops/ops.hpp"
#include "nn/tape.hpp"

namespace plume::nn {
namespace {

// A bias is kept wider than the images.
template <class T>
const Wide<T>* bias_of(const Tensor& bias) {
  return bias ? bias.data<Wide<T>>() : nullptr;
}

std::string output_name(const Conv& conv) {
  const std::string& weight = conv.weight.name();
  return weight.substr(0, weight.rfind('.'));
}

}  // namespace

Tensor conv2d(const Context& context, const Inputs& x, const Conv& conv, bool relu) {
  const Shape in = x.shape();
  const Shape shape{in.n, conv.geometry.output_rows(in.h), conv.geometry.output_columns(in.w), conv.weight.shape().c};
  Tensor y = context.allocate(shape, x.dtype(), output_name(conv));
  const kernels::ProfileRange range(context.stream, y.name(), "forward", flops_of(conv.weight, shape));
  context.run(x.dtype(), [&](auto& stream, auto element) {
    using T = decltype(element);
    kernels::conv2d_forward<T>(y.image<T>(), x.sources<T>(), conv.weight.as<T>(), bias_of<T>(conv.bias), conv.geometry,
                               relu, stream);
  });
  if (context.tape) context.tape->record(ConvRecord{x, y, conv.weight, conv.bias, conv.geometry, relu});
  return y;
}

Tensor conv_transpose2d(const Context& context, const Inputs& x, const Conv& conv, bool relu) {
  const Shape in = x.shape();
  const Shape shape{in.n, conv.geometry.transposed_rows(in.h), conv.geometry.transposed_columns(in.w),
                    conv.weight.shape().c};
  Tensor y = context.allocate(shape, x.dtype(), output_name(conv));
  const kernels::ProfileRange range(context.stream, y.name(), "forward", flops_of(conv.weight, in));
  context.run(x.dtype(), [&](auto& stream, auto element) {
    using T = decltype(element);
    kernels::conv_transpose2d_forward<T>(y.image<T>(), x.sources<T>(), conv.weight.as<T>(), bias_of<T>(conv.bias),
                                         conv.geometry, relu, stream);
  });
  if (context.tape) context.tape->record(ConvTransposeRecord{x, y, conv.weight, conv.bias, conv.geometry, relu});
  return y;
}

Inputs up_concat(const Context& context, const Inputs& x, const Conv& up, const Inputs& skip, SkipOrder order,
                 bool relu) {
  Inputs result;
  const Tensor enlarged = conv_transpose2d(context, x, up, relu);
  if (order == SkipOrder::up_first) result.append(enlarged);
  result.append(skip);
  if (order == SkipOrder::skip_first) result.append(enlarged);
  return result;
}

}  // namespace plume::nn
