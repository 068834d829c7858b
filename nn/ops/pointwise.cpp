// ReLU, sigmoid, softmax, addition, and the copy that concatenates where no operation can read two inputs.
#include "kernels/pointwise.hpp"

#include "kernels/profile.hpp"
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

}  // namespace

Tensor relu(const Context& context, const Tensor& x) {
  return unary<ReluRecord>(context, x,
                           [](auto to, auto from, auto& stream) { kernels::relu_forward(to, from, stream); });
}

Tensor sigmoid(const Context& context, const Tensor& x) {
  return unary<SigmoidRecord>(context, x,
                              [](auto to, auto from, auto& stream) { kernels::sigmoid_forward(to, from, stream); });
}

Tensor softmax(const Context& context, const Tensor& x) {
  return unary<SoftmaxRecord>(context, x,
                              [](auto to, auto from, auto& stream) { kernels::softmax_forward(to, from, stream); });
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

Tensor concat(const Context& context, const Inputs& x) {
  if (x.size() == 1 && !x.front().is_part()) return x.front();
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

}  // namespace plume::nn
