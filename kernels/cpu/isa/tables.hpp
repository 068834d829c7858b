// One table of primitives per instruction set, each defined in a file compiled for it. Absent ones return null.
#pragma once

#include "kernels/cpu/primitives.hpp"

namespace plume::kernels::isa {

template <class T>
const Primitives<T>* portable();
template <class T>
const Primitives<T>* avx2();
template <class T>
const Primitives<T>* avx512();

}  // namespace plume::kernels::isa
