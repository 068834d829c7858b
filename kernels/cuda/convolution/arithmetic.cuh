// How a tensor core multiplies: operands as they lie in registers, and one 16 x 8 product of 32 bytes' depth.
// Source of the three-product form: Ootomo and Yokota, "Recovering single precision accuracy from Tensor Cores", 2022.
#pragma once

#include "device_language.hpp"
#include "kernels/base/bfloat16.hpp"

namespace plume::kernels::cuda {

// Sixteen products of bf16 per element of the result, added in f32.
struct Bf16Products {
  using Element = bf16;
  static constexpr int depth = 16;
  template <int N>
  struct Operand {
    unsigned registers[N];
  };

  template <int N>
  __device__ static Operand<N> prepare(const unsigned (&raw)[N]) {
    Operand<N> operand;
#pragma unroll
    for (int i = 0; i < N; ++i) operand.registers[i] = raw[i];
    return operand;
  }
  __device__ static void multiply(float (&sums)[4], const Operand<4>& a, const Operand<2>& b) {
    mma_bf16(sums, a.registers, b.registers);
  }
};

// Eight products of f32 rounded to TF32.
struct Tf32Products {
  using Element = float;
  static constexpr int depth = 8;
  template <int N>
  struct Operand {
    unsigned registers[N];
  };

  template <int N>
  __device__ static Operand<N> prepare(const unsigned (&raw)[N]) {
    Operand<N> operand;
#pragma unroll
    for (int i = 0; i < N; ++i) operand.registers[i] = to_tf32(__uint_as_float(raw[i]));
    return operand;
  }
  __device__ static void multiply(float (&sums)[4], const Operand<4>& a, const Operand<2>& b) {
    mma_tf32(sums, a.registers, b.registers);
  }
};

// Eight products of f32, each split into two TF32 parts. What is dropped, small times small, is below f32's rounding.
struct SplitTf32Products {
  using Element = float;
  static constexpr int depth = 8;
  template <int N>
  struct Operand {
    unsigned big[N];
    unsigned small[N];
  };

  template <int N>
  __device__ static Operand<N> prepare(const unsigned (&raw)[N]) {
    Operand<N> operand;
#pragma unroll
    for (int i = 0; i < N; ++i) {
      const float value = __uint_as_float(raw[i]);
      operand.big[i] = to_tf32(value);
      operand.small[i] = to_tf32(value - __uint_as_float(operand.big[i]));
    }
    return operand;
  }
  // The small products come first: they would be lost beside a large sum.
  __device__ static void multiply(float (&sums)[4], const Operand<4>& a, const Operand<2>& b) {
    mma_tf32(sums, a.small, b.big);
    mma_tf32(sums, a.big, b.small);
    mma_tf32(sums, a.big, b.big);
  }
};

}  // namespace plume::kernels::cuda
