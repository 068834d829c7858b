// Nothing but multiply-adds, all in registers: what a kernel could reach at most.
#pragma once

#include "kernels/cpu/isa/vector.hpp"

namespace plume::kernels::isa {

// As many vectors as a convolution's tile has sums, so more than the multiply-adds that are in flight at a time.
template <class Isa, class T, int vectors>
void multiply_adds(T* x, T factor, T term, std::ptrdiff_t rounds) {
  using V = Vector<Isa, T>;
  typename V::type value[vectors];
#pragma GCC unroll 24
  for (int v = 0; v < vectors; ++v) value[v] = V::load(x + v * V::lanes);
  const typename V::type by = typename V::type{} + factor;
  const typename V::type plus = typename V::type{} + term;
  for (std::ptrdiff_t round = 0; round < rounds; ++round) {
#pragma GCC unroll 24
    for (int v = 0; v < vectors; ++v) value[v] = value[v] * by + plus;
  }
#pragma GCC unroll 24
  for (int v = 0; v < vectors; ++v) V::store(x + v * V::lanes, value[v]);
}

}  // namespace plume::kernels::isa
