// The 8-bit primitives for x86-64 with AVX-512 and its VNNI, whose vpdpbusd is a dot product of four bytes.
#include <immintrin.h>

#include <utility>

#include "kernels/cpu/isa/quantized_loops.hpp"
#include "kernels/cpu/isa/quantized_tables.hpp"

namespace plume::kernels::isa {
namespace {

struct Avx512Vnni {
  static constexpr const char* name = "avx512_vnni";
  static constexpr int vector_bytes = 64;
  static constexpr int tile_pixels = 14;  // all registers but three (two vectors of weights, one broadcast) hold sums
};

struct VnniDot {
  using Sums = Vector<Avx512Vnni, std::int32_t>::type;
  using Bytes = __m512i;
  [[gnu::always_inline]] static Bytes weights(const std::int8_t* from) { return _mm512_loadu_si512(from); }
  [[gnu::always_inline]] static Bytes inputs(const std::uint8_t* from) {
    std::int32_t four = 0;
    __builtin_memcpy(&four, from, sizeof four);
    return _mm512_set1_epi32(four);
  }
  [[gnu::always_inline]] static Sums add(Sums sum, Bytes x, Bytes w) {
    return reinterpret_cast<Sums>(_mm512_dpbusd_epi32(reinterpret_cast<__m512i>(sum), x, w));
  }
};

}  // namespace

const QuantizedPrimitives* quantized_avx512_vnni() {
  static constexpr QuantizedPrimitives table = make_quantized_table<Avx512Vnni, VnniDot>();
  return &table;
}

}  // namespace plume::kernels::isa
