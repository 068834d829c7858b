// The 8-bit primitives for any processor: vectors of 16 bytes, which SSE2 and NEON have.
#include <utility>

#include "kernels/cpu/isa/quantized_dot.hpp"
#include "kernels/cpu/isa/quantized_loops.hpp"
#include "kernels/cpu/isa/quantized_tables.hpp"

namespace plume::kernels::isa {
namespace {

struct Portable {
  static constexpr const char* name = "portable";
  static constexpr int vector_bytes = 16;
  static constexpr int tile_pixels = 4;

  using Halves = Vector<Portable, std::int16_t>::type;
  using Sums = Vector<Portable, std::int32_t>::type;
  // A product of a u8 and a s8 fits into 16 bits.
  static Sums pair_sums(Halves a, Halves b) {
    const auto products = reinterpret_cast<Sums>(a * b);
    return ((products << 16) >> 16) + (products >> 16);
  }
};

}  // namespace

const QuantizedPrimitives* quantized_portable() {
  static constexpr QuantizedPrimitives table = make_quantized_table<Portable, WidenedDot<Portable>>();
  return &table;
}

}  // namespace plume::kernels::isa
