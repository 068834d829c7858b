// Gradients of ReLU, sigmoid, softmax, addition and concatenation.
#include "kernels/pointwise.hpp"
#include "nn/ops/backward.hpp"

namespace plume::nn {
namespace {

// kernel(grad of x, grad of y, y, add, stream)
template <class Record, class Kernel>
void unary_backward(const Context& context, const Record& record, const Kernel& kernel) {
  const GradientSlot slot(context, record.x);
  if (!slot.wanted) return;
  context.run(record.y.dtype(), [&](auto& stream, auto element) {
    using T = decltype(element);
    kernel(slot.image<T>(), kernels::Image<const T>(record.y.template gradient_image<T>()),
           kernels::Image<const T>(record.y.template image<T>()), slot.add, stream);
  });
}

}  // namespace

void backward(const Context& context, const ReluRecord& record) {
  unary_backward(context, record, [](auto to, auto grad, auto y, bool add, auto& stream) {
    kernels::relu_backward(to, grad, y, add, stream);
  });
}

void backward(const Context& context, const SigmoidRecord& record) {
  unary_backward(context, record, [](auto to, auto grad, auto y, bool add, auto& stream) {
    kernels::sigmoid_backward(to, grad, y, add, stream);
  });
}

void backward(const Context& context, const SoftmaxRecord& record) {
  unary_backward(context, record, [](auto to, auto grad, auto y, bool add, auto& stream) {
    kernels::softmax_backward(to, grad, y, add, stream);
  });
}

void backward(const Context& context, const AddRecord& record) {
  for (const Tensor& x : {record.a, record.b}) {
    const GradientSlot slot(context, x);
    if (!slot.wanted) continue;
    context.run(record.y.dtype(), [&](auto& stream, auto element) {
      using T = decltype(element);
      kernels::copy<T>(slot.image<T>(), record.y.gradient_image<T>(), slot.add, stream);
    });
  }
}

void backward(const Context& context, const ConcatRecord& record) {
  int first = 0;
  for (const Tensor& x : record.x) {
    const GradientSlot slot(context, x);
    if (slot.wanted) {
      context.run(record.y.dtype(), [&](auto& stream, auto element) {
        using T = decltype(element);
        kernels::copy<T>(slot.image<T>(), record.y.gradient_image<T>().channels(first, x.shape().c), slot.add, stream);
      });
    }
    first += x.shape().c;
  }
}

}  // namespace plume::nn
