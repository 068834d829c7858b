// Two tables of primitives per instruction set, defined in a file compiled for it. Absent ones are null.
#pragma once

#include "kernels/cpu/backward_primitives.hpp"
#include "kernels/cpu/primitives.hpp"

namespace plume::kernels::isa {

template <class T>
const Primitives<T>* portable();
template <class T>
const Primitives<T>* avx2();
template <class T>
const Primitives<T>* avx512();

template <class T>
const BackwardPrimitives<T>* portable_backward();
template <class T>
const BackwardPrimitives<T>* avx2_backward();
template <class T>
const BackwardPrimitives<T>* avx512_backward();

}  // namespace plume::kernels::isa
