// The 8-bit primitives for x86-64 with AVX2.
#include <immintrin.h>

#include <utility>

#include "kernels/cpu/isa/quantized_dot.hpp"
#include "kernels/cpu/isa/quantized_loops.hpp"
#include "kernels/cpu/isa/quantized_tables.hpp"

namespace plume::kernels::isa {
namespace {

struct Avx2 {
  static constexpr const char* name = "avx2";
  static constexpr int vector_bytes = 32;
  static constexpr int tile_pixels = 4;

  using Halves = Vector<Avx2, std::int16_t>::type;
  using Sums = Vector<Avx2, std::int32_t>::type;
  static Sums pair_sums(Halves a, Halves b) {
    return reinterpret_cast<Sums>(_mm256_madd_epi16(reinterpret_cast<__m256i>(a), reinterpret_cast<__m256i>(b)));
  }
};

}  // namespace

const QuantizedPrimitives* quantized_avx2() {
  static constexpr QuantizedPrimitives table = make_quantized_table<Avx2, WidenedDot<Avx2>>();
  return &table;
}

}  // namespace plume::kernels::isa
