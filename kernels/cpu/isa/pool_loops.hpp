// Max-pooling of a row of 2x2 windows, some channels at a time.
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
  using Index [[gnu::vector_size(V::lanes), gnu::aligned(1), gnu::may_alias]] = std::uint8_t;
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

}  // namespace plume::kernels::isa
