// What operations are given: where to run, where to take memory, and what to record on.
#pragma once

#include <stdexcept>
#include <string>
#include <utility>
#include <variant>

#include "kernels/across.hpp"
#include "kernels/stream.hpp"
#include "nn/arena.hpp"
#include "nn/tensor.hpp"

namespace plume::nn {

class Tape;

// body(a value of the element type), for the types that a stream computes in; std::logic_error for others.
template <class Body>
void with_element(DType type, const kernels::CpuStream&, Body&& body) {
  switch (type) {
    case DType::f32: return body(float{});
    case DType::f64: return body(double{});
    default: throw std::logic_error("the CPU computes in f32 and f64");
  }
}
template <class Body>
void with_element(DType type, const kernels::CudaStream&, Body&& body) {
  switch (type) {
    case DType::f32: return body(float{});
    case DType::bf16: return body(bf16{});
    default: throw std::logic_error("CUDA computes in f32 and bf16");
  }
}

struct Context {
  kernels::Stream& stream;
  Arena& arena;
  Tape* tape = nullptr;                    // null: inference, nothing is kept
  bool training = false;                   // batch normalisation uses and updates the batch's statistics
  bool dry = false;                        // record shapes and memory without running a kernel
  bool recompute = false;                  // normalised values are not kept for backward but computed again
  kernels::AcrossRanks* across = nullptr;  // in training, batch normalisation's batch is all ranks'; null: this one's
  bool accumulate = false;                 // backward adds to the parameters' gradients; otherwise it writes them

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
    std::visit([&](auto& concrete) { with_element(type, concrete, [&](auto element) { body(concrete, element); }); },
               stream);
  }
};

}  // namespace plume::nn
