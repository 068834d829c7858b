// Tensors: cheap values that share one piece of memory, and the gradient that belongs to it.
#pragma once

#include <array>
#include <cassert>
#include <cstddef>
#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <vector>

#include "kernels/base/dtype.hpp"
#include "kernels/image.hpp"
#include "nn/arena.hpp"

namespace plume::nn {

// NHWC for images; [kernel row][kernel column][input][output] for convolution weights; 1, 1, 1, c for vectors.
struct Shape {
  int n = 1;
  int h = 1;
  int w = 1;
  int c = 1;
  [[nodiscard]] std::size_t count() const {
    return static_cast<std::size_t>(n) * static_cast<std::size_t>(h) * static_cast<std::size_t>(w) *
           static_cast<std::size_t>(c);
  }
  bool operator==(const Shape&) const = default;
};

// Calls body with a value of the element type, so that generic code can name it by decltype.
template <class Body>
decltype(auto) with_type(DType type, Body&& body) {
  if (type == DType::f64) return body(double{});
  assert(type == DType::f32);
  return body(float{});
}

struct Context;

class Tensor {
 public:
  Tensor() = default;

  // Memory from an arena; gone with the last copy of the tensor.
  Tensor(Shape shape, DType dtype, std::string name, Block memory, bool wants_gradient = true);
  // Memory of someone else's, with a gradient that is always added to (parameters), or none where grad is null.
  // rounded: a copy in bf16 that is kept beside the data, where there is one.
  Tensor(Shape shape, DType dtype, std::string name, std::byte* data, std::byte* grad, std::byte* rounded = nullptr);

  // height x width pixels of a single image, from this row and column on: a view of the tensor's memory, which it
  // keeps. For the CPU, without a tape: convolutions and normalisations read it, and concat, which makes a copy of it.
  [[nodiscard]] Tensor part(int row, int column, int height, int width) const;

  explicit operator bool() const noexcept { return node_ != nullptr; }
  [[nodiscard]] const Shape& shape() const { return node_->shape; }
  [[nodiscard]] DType dtype() const { return node_->dtype; }
  [[nodiscard]] const std::string& name() const { return node_->name; }
  [[nodiscard]] std::size_t bytes() const { return shape().count() * size_of(dtype()); }

  template <class T>
  [[nodiscard]] T* data() const {
    assert(dtype_of<T>() == dtype());
    return reinterpret_cast<T*>(node_->data);
  }
  // The values as T: the tensor's own, or the rounded copy that parameters keep beside them for bf16.
  template <class T>
  [[nodiscard]] const T* as() const {
    assert(dtype_of<T>() == dtype() || dtype_of<T>() == DType::bf16);
    return reinterpret_cast<const T*>(dtype_of<T>() == dtype() ? node_->data : node_->rounded);
  }
  template <class T>
  [[nodiscard]] kernels::Image<T> image() const {
    const Shape& s = shape();
    return {data<T>(), s.n, s.h, s.w, s.c, s.c, node_->row_step};
  }
  [[nodiscard]] bool is_part() const { return node_->whole != nullptr; }

  // Values that can be computed again need no memory between their last reader forward and the first one backward.
  // `recompute` writes them into the tensor, which has memory then.
  using Recompute = std::function<void(const Context&, const Tensor&)>;
  void set_recompute(Recompute recompute) const { node_->recompute = std::move(recompute); }
  // Gives the memory back where the values can be computed again; the caller knows that nothing reads them meanwhile.
  void release() const;
  // Computes released values again.
  void restore(const Context& context) const;
  // Frees the values for good where this is the last copy of the tensor, whose gradient lives on.
  void drop_values() const;

  [[nodiscard]] bool wants_gradient() const { return node_->wants_gradient; }
  void want_no_gradient() const { node_->wants_gradient = false; }
  [[nodiscard]] bool has_gradient() const { return node_->has_gradient; }
  template <class T>
  [[nodiscard]] T* gradient() const {
    return reinterpret_cast<T*>(node_->grad);
  }
  template <class T>
  [[nodiscard]] kernels::Image<T> gradient_image() const {
    const Shape& s = shape();
    return {gradient<T>(), s.n, s.h, s.w, s.c};
  }

  // Makes room for the gradient where there is none yet; true where there was one, to be added to.
  bool prepare_gradient(Arena& arena) const;
  // Takes over other's gradient memory as this tensor's, where an operation works in place on gradients.
  void adopt_gradient(const Tensor& other) const;
  void drop_gradient() const;

  [[nodiscard]] bool same(const Tensor& other) const noexcept { return node_ == other.node_; }

 private:
  struct Node {
    Shape shape;
    std::ptrdiff_t row_step = 0;  // elements from one row of images to the next
    DType dtype{};
    std::string name;
    Block memory;
    std::byte* data = nullptr;
    std::byte* rounded = nullptr;
    Block grad_memory;
    std::byte* grad = nullptr;
    bool wants_gradient = false;
    bool has_gradient = false;
    Recompute recompute;
    bool released = false;
    std::shared_ptr<Node> whole;  // of which this is a part
  };
  std::shared_ptr<Node> node_;
};

// What an operation reads: one tensor, or several whose channels are concatenated without a copy.
class Inputs {
 public:
  Inputs() = default;
  Inputs(Tensor tensor) : tensors_{std::move(tensor)} {}  // NOLINT(google-explicit-constructor)
  Inputs(std::initializer_list<Tensor> tensors) : tensors_(tensors) {}

  [[nodiscard]] auto begin() const { return tensors_.begin(); }
  [[nodiscard]] auto end() const { return tensors_.end(); }
  void append(const Inputs& other) { tensors_.insert(tensors_.end(), other.begin(), other.end()); }
  [[nodiscard]] std::size_t size() const { return tensors_.size(); }
  [[nodiscard]] const Tensor& front() const { return tensors_.front(); }

  // The first tensor's shape with all channels.
  [[nodiscard]] Shape shape() const;
  [[nodiscard]] DType dtype() const { return front().dtype(); }
  void release() const {
    for (const Tensor& tensor : tensors_) tensor.release();
  }
  void restore(const Context& context) const {
    for (const Tensor& tensor : tensors_) tensor.restore(context);
  }
  template <class T>
  [[nodiscard]] kernels::Sources<T> sources() const {
    kernels::Sources<T> all;
    for (const Tensor& tensor : tensors_) all.add(tensor.image<T>());
    return all;
  }

 private:
  std::vector<Tensor> tensors_;
};

}  // namespace plume::nn
