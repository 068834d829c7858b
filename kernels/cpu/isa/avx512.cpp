// The primitives for x86-64 with AVX-512 (F, VL, BW, DQ).
#include "kernels/cpu/isa/adamw.hpp"
#include "kernels/cpu/isa/make_table.hpp"
#include "kernels/cpu/isa/tables.hpp"

namespace plume::kernels::isa {
namespace {

struct Avx512 {
  static constexpr const char* name = "avx512";
  static constexpr int vector_bytes = 64;
  static constexpr int registers = 32;
};

}  // namespace

template <class T>
const Primitives<T>* avx512() {
  static constexpr Primitives<T> table = make_table<Avx512, T>();
  return &table;
}

template <class T>
const BackwardPrimitives<T>* avx512_backward() {
  static constexpr BackwardPrimitives<T> table = make_backward_table<Avx512, T>(adamw_avx512<T>);
  return &table;
}

template const Primitives<float>* avx512();
template const Primitives<double>* avx512();
template const BackwardPrimitives<float>* avx512_backward();
template const BackwardPrimitives<double>* avx512_backward();

}  // namespace plume::kernels::isa
