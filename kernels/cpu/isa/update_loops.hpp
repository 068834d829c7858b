// AdamW over flat buffers; plain code that the compiler vectorises for the instruction set of the file that includes it.
#pragma once

#include <cstddef>

#include "kernels/functors.hpp"

namespace plume::kernels::isa {

// flatten: the body must not be left for the linker, which could take this instruction set's for everyone.
template <class Isa, class T>
[[gnu::flatten]] void adamw(T* __restrict parameters, const T* __restrict gradients, T* __restrict first,
                            T* __restrict second, std::ptrdiff_t count, T scale, const AdamwBody<T>& body) {
  const AdamwBody<T> update = body;
  for (std::ptrdiff_t i = 0; i < count; ++i) update(parameters[i], gradients[i] * scale, first[i], second[i]);
}

}  // namespace plume::kernels::isa
