// Tensors and their gradients.
#include "nn/tensor.hpp"

#include <utility>

#include "nn/context.hpp"

namespace plume::nn {

Tensor::Tensor(Shape shape, DType dtype, std::string name, Block memory, bool wants_gradient)
    : node_(std::make_shared<Node>()) {
  node_->shape = shape;
  node_->row_step = std::ptrdiff_t{shape.w} * shape.c;
  node_->dtype = dtype;
  node_->name = std::move(name);
  node_->data = memory.data();
  node_->memory = std::move(memory);
  node_->wants_gradient = wants_gradient;
}

Tensor::Tensor(Shape shape, DType dtype, std::string name, std::byte* data, std::byte* grad, std::byte* rounded)
    : node_(std::make_shared<Node>()) {
  node_->shape = shape;
  node_->row_step = std::ptrdiff_t{shape.w} * shape.c;
  node_->dtype = dtype;
  node_->name = std::move(name);
  node_->data = data;
  node_->rounded = rounded;
  node_->grad = grad;
  node_->wants_gradient = grad != nullptr;
  node_->has_gradient = grad != nullptr;
}

Tensor Tensor::part(int row, int column, int height, int width) const {
  const Shape& own = shape();
  assert(own.n == 1 && row + height <= own.h && column + width <= own.w);
  Tensor view;
  view.node_ = std::make_shared<Node>();
  Node& node = *view.node_;
  node.shape = {1, height, width, own.c};
  node.dtype = dtype();
  node.name = name();
  node.whole = node_;
  node.row_step = node_->row_step;
  const std::ptrdiff_t first = row * node.row_step + std::ptrdiff_t{column} * own.c;
  // A dry run has no memory.
  if (node_->data != nullptr) node.data = node_->data + first * static_cast<std::ptrdiff_t>(size_of(dtype()));
  return view;
}

void Tensor::release() const {
  if (!node_->recompute || node_->released) return;
  node_->memory = Block();
  node_->data = nullptr;
  node_->released = true;
}

void Tensor::restore(const Context& context) const {
  if (!node_->released) return;
  node_->memory = context.arena.allocate(bytes(), node_->name + ".again");
  node_->data = node_->memory.data();
  node_->released = false;
  node_->recompute(context, *this);
}

void Tensor::drop_values() const {
  if (node_.use_count() > 1) return;
  node_->memory = Block();
  node_->data = nullptr;
}

bool Tensor::prepare_gradient(Arena& arena) const {
  if (node_->has_gradient) return true;
  node_->grad_memory = arena.allocate(bytes(), node_->name + ".grad");
  node_->grad = node_->grad_memory.data();
  node_->has_gradient = true;
  return false;
}

void Tensor::adopt_gradient(const Tensor& other) const {
  assert(!node_->has_gradient && other.bytes() == bytes());
  node_->grad_memory = std::move(other.node_->grad_memory);
  node_->grad = std::exchange(other.node_->grad, nullptr);
  node_->has_gradient = true;
  other.node_->has_gradient = false;
}

void Tensor::drop_gradient() const {
  node_->grad_memory = Block();
  node_->grad = nullptr;
  node_->has_gradient = false;
}

Shape Inputs::shape() const {
  Shape shape = front().shape();
  shape.c = 0;
  for (const Tensor& tensor : tensors_) shape.c += tensor.shape().c;
  return shape;
}

}  // namespace plume::nn
