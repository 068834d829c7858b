// Max-pooling of a row of 2x2 windows and its gradient, a vector of channels at a time.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/cpu/isa/vector.hpp"

namespace plume::kernels::isa {

// A NaN replaces a number and is never replaced.
template <class Isa, class T, bool indexed>
void max_pool_loop(T* out, std::ptrdiff_t out_stride, std::uint8_t* index, const T* top, const T* bottom,
                   std::ptrdiff_t in_stride, std::ptrdiff_t windows, int c) {
  using V = Vector<Isa, T>;
  using Value = typename V::type;
  using Mask = decltype(Value{} <= Value{});
  using Index = typename VectorOf<std::uint8_t, V::lanes>::type;
  for (std::ptrdiff_t w = 0; w < windows; ++w, out += out_stride, top += 2 * in_stride, bottom += 2 * in_stride) {
    const T* const window[4] = {top, top + in_stride, bottom, bottom + in_stride};
    int i = 0;
    for (; i + V::lanes <= c; i += V::lanes) {
      Value best = V::load(window[0] + i);
      Mask which = {};
      for (int k = 1; k < 4; ++k) {
        const Value value = V::load(window[k] + i);
        const Mask better = ~(value <= best) & (best == best);
        best = better ? value : best;
        if constexpr (indexed) which = better ? which - which + k : which;
      }
      V::store(out + i, best);
      if constexpr (indexed) *reinterpret_cast<Index*>(index + i) = __builtin_convertvector(which, Index);
    }
    for (; i < c; ++i) {
      T best = window[0][i];
      std::uint8_t which = 0;
      for (std::uint8_t k = 1; k < 4; ++k) {
        const bool better = !(window[k][i] <= best) && best == best;
        best = better ? window[k][i] : best;
        which = better ? k : which;
      }
      out[i] = best;
      if constexpr (indexed) index[i] = which;
    }
    if constexpr (indexed) index += c;
  }
}

template <class Isa, class T>
void max_pool(T* out, std::ptrdiff_t out_stride, std::uint8_t* index, const T* top, const T* bottom,
              std::ptrdiff_t in_stride, std::ptrdiff_t windows, int c) {
  const auto loop = index ? max_pool_loop<Isa, T, true> : max_pool_loop<Isa, T, false>;
  loop(out, out_stride, index, top, bottom, in_stride, windows, c);
}

// A gradient belongs to the pixel that its index names; the window's others get zero.
template <class Isa, class T, bool add>
void max_pool_grad_loop(T* top, T* bottom, std::ptrdiff_t in_stride, const T* grad, std::ptrdiff_t grad_stride,
                        const std::uint8_t* index, std::ptrdiff_t windows, int c) {
  using V = Vector<Isa, T>;
  using Value = typename V::type;
  using Mask = decltype(Value{} <= Value{});
  using Index = typename VectorOf<std::uint8_t, V::lanes>::type;
  for (std::ptrdiff_t w = 0; w < windows; ++w, grad += grad_stride, index += c) {
    T* const window[4] = {top, top + in_stride, bottom, bottom + in_stride};
    int i = 0;
    for (; i + V::lanes <= c; i += V::lanes) {
      const Value value = V::load(grad + i);
      const Mask which = __builtin_convertvector(*reinterpret_cast<const Index*>(index + i), Mask);
      for (int k = 0; k < 4; ++k) {
        const Value own = which == k ? value : Value{};
        V::store(window[k] + i, add ? V::load(window[k] + i) + own : own);
      }
    }
    for (; i < c; ++i) {
      for (int k = 0; k < 4; ++k) {
        const T own = index[i] == k ? grad[i] : T{0};
        window[k][i] = add ? window[k][i] + own : own;
      }
    }
    top += 2 * in_stride;
    bottom += 2 * in_stride;
  }
}

template <class Isa, class T>
void max_pool_grad(T* top, T* bottom, std::ptrdiff_t in_stride, const T* grad, std::ptrdiff_t grad_stride,
                   const std::uint8_t* index, std::ptrdiff_t windows, int c, bool add) {
  const auto loop = add ? max_pool_grad_loop<Isa, T, true> : max_pool_grad_loop<Isa, T, false>;
  loop(top, bottom, in_stride, grad, grad_stride, index, windows, c);
}

}  // namespace plume::kernels::isa
