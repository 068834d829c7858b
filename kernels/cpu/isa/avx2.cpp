// The primitives for x86-64 with AVX2 and FMA.
#include "kernels/cpu/isa/adamw.hpp"
#include "kernels/cpu/isa/make_table.hpp"
#include "kernels/cpu/isa/tables.hpp"

namespace plume::kernels::isa {
namespace {

struct Avx2 {
  static constexpr const char* name = "avx2";
  static constexpr int vector_bytes = 32;
  static constexpr int registers = 16;
};

}  // namespace

template <class T>
const Primitives<T>* avx2() {
  static constexpr Primitives<T> table = make_table<Avx2, T>();
  return &table;
}

template <class T>
const BackwardPrimitives<T>* avx2_backward() {
  static constexpr BackwardPrimitives<T> table = make_backward_table<Avx2, T>(adamw_avx2<T>);
  return &table;
}

template const Primitives<float>* avx2();
template const Primitives<double>* avx2();
template const BackwardPrimitives<float>* avx2_backward();
template const BackwardPrimitives<double>* avx2_backward();

}  // namespace plume::kernels::isa
