// Stands in for the AVX files on other processors.
#include "kernels/cpu/isa/tables.hpp"

namespace plume::kernels::isa {

template <class T>
const Primitives<T>* avx2() {
  return nullptr;
}
template <class T>
const Primitives<T>* avx512() {
  return nullptr;
}

template <class T>
const BackwardPrimitives<T>* avx2_backward() {
  return nullptr;
}
template <class T>
const BackwardPrimitives<T>* avx512_backward() {
  return nullptr;
}

template const Primitives<float>* avx2();
template const Primitives<double>* avx2();
template const Primitives<float>* avx512();
template const Primitives<double>* avx512();
template const BackwardPrimitives<float>* avx2_backward();
template const BackwardPrimitives<double>* avx2_backward();
template const BackwardPrimitives<float>* avx512_backward();
template const BackwardPrimitives<double>* avx512_backward();

}  // namespace plume::kernels::isa
