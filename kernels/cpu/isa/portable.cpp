// The primitives for any CPU, with 128-bit vectors (SSE2, NEON).
#include "kernels/cpu/isa/adamw.hpp"
#include "kernels/cpu/isa/make_table.hpp"
#include "kernels/cpu/isa/tables.hpp"

namespace plume::kernels::isa {
namespace {

struct Portable {
  static constexpr const char* name = "portable";
  static constexpr int vector_bytes = 16;
  static constexpr int registers = 16;
};

}  // namespace

template <class T>
const Primitives<T>* portable() {
  static constexpr Primitives<T> table = make_table<Portable, T>();
  return &table;
}

template <class T>
const BackwardPrimitives<T>* portable_backward() {
  static constexpr BackwardPrimitives<T> table = make_backward_table<Portable, T>(adamw_portable<T>);
  return &table;
}

template const Primitives<float>* portable();
template const Primitives<double>* portable();
template const BackwardPrimitives<float>* portable_backward();
template const BackwardPrimitives<double>* portable_backward();

}  // namespace plume::kernels::isa
