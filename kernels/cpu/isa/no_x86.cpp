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

template const Primitives<float>* avx2();
template const Primitives<double>* avx2();
template const Primitives<float>* avx512();
template const Primitives<double>* avx512();

}  // namespace plume::kernels::isa
