// What operations are given: where to run, where to take memory, and what to record on.
#pragma once

#include <string>
#include <utility>
#include <variant>

#include "kernels/stream.hpp"
#include "nn/arena.hpp"
#include "nn/tensor.hpp"

namespace plume::nn {

class Tape;

struct Context {
  kernels::Stream& stream;
  Arena& arena;
  Tape* tape = nullptr;   // null: inference, nothing is kept
  bool training = false;  // batch normalisation uses and updates the batch's statistics
  bool dry = false;       // record shapes and memory without running a kernel

  [[nodiscard]] Tensor allocate(Shape shape, DType dtype, std::string name) const {
    Block memory = arena.allocate(shape.count() * size_of(dtype), name);
    return {shape, dtype, std::move(name), std::move(memory)};
  }

  // body(concrete stream)
  template <class Body>
  void run(Body&& body) const {
    if (!dry) std::visit(std::forward<Body>(body), stream);
  }
  // body(concrete stream, a value of the element type)
  template <class Body>
  void run(DType type, Body&& body) const {
    if (dry) return;
    std::visit([&](auto& concrete) { with_type(type, [&](auto element) { body(concrete, element); }); }, stream);
  }
};

}  // namespace plume::nn
