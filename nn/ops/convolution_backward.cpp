// Gradients of convolutions and transposed convolutions, of their bias and of the ReLU in their epilogue.
#include <vector>

#include "kernels/pointwise.hpp"
#include "kernels/profile.hpp"
#include "nn/ops/backward.hpp"
#include "nn/ops/flops.hpp"

namespace plume::nn {
namespace {

int wanted_channels(const std::vector<GradientSlot>& slots) {
  int channels = 0;
  for (const GradientSlot& slot : slots) channels += slot.wanted ? slot.tensor.shape().c : 0;
  return channels;
}

// What both backward passes share; `data` and `weight` call the kernels: data(image, grad, slice, add, stream) and
// weight(to, sources, grad, stream).
template <class Record, class Data, class Weight>
void backward_conv(const Context& context, const Record& record, double flops, const Data& data, const Weight& weight) {
  const bool trained = record.weight.wants_gradient();  // not frozen
  if (trained) record.x.restore(context);
  context.run(record.y.dtype(), [&](auto& stream, auto element) {
    using T = decltype(element);
    const auto grad = record.y.template gradient_image<T>();
    if (record.relu) {
      kernels::relu_backward<T>(grad, grad, record.y.template image<T>(), false, stream);
    }
    if (record.bias && record.bias.wants_gradient())
      kernels::bias_backward<T>(record.bias.template gradient<Wide<T>>(), grad, context.accumulate, stream);
    if (!trained) return;
    const kernels::ProfileRange range(context.stream, record.y.name(), "weight gradient", flops);
    weight(record.weight.template gradient<Wide<T>>(), record.x.template sources<T>(), grad, stream);
  });
  // Values give way to the gradients of the same size that come next.
  record.y.drop_values();
  record.x.release();
  const auto slots = gradient_slots(context, record.x);
  const int wanted = wanted_channels(slots);
  if (wanted == 0) return;
  context.run(record.y.dtype(), [&](auto& stream, auto element) {
    using T = decltype(element);
    const kernels::ProfileRange range(context.stream, record.y.name(), "data gradient",
                                      flops * wanted / record.x.shape().c);
    const auto grad = record.y.template gradient_image<T>();
    int first = 0;
    for (const GradientSlot& slot : slots) {
      const int channels = slot.tensor.shape().c;
      if (slot.wanted) {
        data(slot.template image<T>(), grad, kernels::ChannelSlice{first, record.x.shape().c}, slot.add, stream);
      }
      first += channels;
    }
  });
}

}  // namespace

void backward(const Context& context, const ConvRecord& record) {
  backward_conv(
      context, record, flops_of(record.weight, record.y.shape()),
      [&]<class T>(kernels::Image<T> to, kernels::Image<T> grad, kernels::ChannelSlice slice, bool add, auto& stream) {
        kernels::conv2d_backward_data<T>(to, grad, record.weight.template as<T>(), slice, record.geometry, add, stream);
      },
      [&]<class T>(Wide<T>* to, const kernels::Sources<T>& x, kernels::Image<T> grad, auto& stream) {
        kernels::conv2d_backward_weight<T>(to, x, grad, record.geometry, context.accumulate, stream);
      });
}

void backward(const Context& context, const ConvTransposeRecord& record) {
  backward_conv(
      context, record, flops_of(record.weight, record.x.shape()),
      [&]<class T>(kernels::Image<T> to, kernels::Image<T> grad, kernels::ChannelSlice slice, bool add, auto& stream) {
        kernels::conv_transpose2d_backward_data<T>(to, grad, record.weight.template as<T>(), slice, record.geometry,
                                                   add, stream);
      },
      [&]<class T>(Wide<T>* to, const kernels::Sources<T>& x, kernels::Image<T> grad, auto& stream) {
        kernels::conv_transpose2d_backward_weight<T>(to, x, grad, record.geometry, context.accumulate, stream);
      });
}

}  // namespace plume::nn
