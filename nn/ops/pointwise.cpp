// ReLU, sigmoid, softmax, addition, and the copy that concatenates where no operation can read two inputs.
#include "kernels/pointwise.hpp"

#include "kernels/profile.hpp"
#include "nn/ops/backward.hpp"
#include "nn/ops/ops.hpp"
#include "nn/tape.hpp"

namespace plume::nn {
namespace {

// y = kernel(x), recorded as Record{x, y}; kernel(to, from, stream).
template <class Record, class Kernel>
Tensor unary(const Context& context, const Tensor& x, const Kernel& kernel) {
  Tensor y = context.allocate(x.shape(), x.dtype(), x.name() + "." + std::string(Record::name));
  const kernels::ProfileRange range(context.stream, y.name(), "forward");
  context.run(x.dtype(), [&](auto& stream, auto element) {
    using T = decltype(element);
    kernel(y.image<T>(), kernels::Image<const T>(x.image<T>()), stream);
  });
  if (context.tape) context.tape->record(Record{x, y});
  return y;
}

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

Tensor relu(const Context& context, const Tensor& x) {
  return unary<ReluRecord>(context, x,
                           [](auto to, auto from, auto& stream) { kernels::relu_forward(to, from, stream); });
}

void backward(const Context& context, const ReluRecord& record) {
  unary_backward(context, record, [](auto to, auto grad, auto y, bool add, auto& stream) {
    kernels::relu_backward(to, grad, y, add, stream);
  });
}

Tensor sigmoid(const Context& context, const Tensor& x) {
  return unary<SigmoidRecord>(context, x,
                              [](auto to, auto from, auto& stream) { kernels::sigmoid_forward(to, from, stream); });
}

void backward(const Context& context, const SigmoidRecord& record) {
  unary_backward(context, record, [](auto to, auto grad, auto y, bool add, auto& stream) {
    kernels::sigmoid_backward(to, grad, y, add, stream);
  });
}

Tensor softmax(const Context& context, const Tensor& x) {
  return unary<SoftmaxRecord>(context, x,
                              [](auto to, auto from, auto& stream) { kernels::softmax_forward(to, from, stream); });
}

void backward(const Context& context, const SoftmaxRecord& record) {
  unary_backward(context, record, [](auto to, auto grad, auto y, bool add, auto& stream) {
    kernels::softmax_backward(to, grad, y, add, stream);
  });
}

Tensor add(const Context& context, const Tensor& a, const Tensor& b) {
  Tensor y = context.allocate(a.shape(), a.dtype(), a.name() + ".add");
  const kernels::ProfileRange range(context.stream, y.name(), "forward");
  context.run(a.dtype(), [&](auto& stream, auto element) {
    using T = decltype(element);
    kernels::add<T>(y.image<T>(), a.image<T>(), b.image<T>(), stream);
  });
  if (context.tape) context.tape->record(AddRecord{a, b, y});
  return y;
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

Tensor concat(const Context& context, const Inputs& x) {
  if (x.size() == 1) return x.front();
  Tensor y = context.allocate(x.shape(), x.dtype(), x.front().name() + ".concat");
  const kernels::ProfileRange range(context.stream, y.name(), "forward");
  context.run(x.dtype(), [&](auto& stream, auto element) {
    using T = decltype(element);
    int first = 0;
    for (const Tensor& tensor : x) {
      kernels::copy<T>(y.image<T>().channels(first, tensor.shape().c), tensor.image<T>(), false, stream);
      first += tensor.shape().c;
    }
  });
  if (context.tape) context.tape->record(ConcatRecord{x, y});
  return y;
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
