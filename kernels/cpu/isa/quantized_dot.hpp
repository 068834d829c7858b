// Dot products of four bytes by 16-bit multiplications, for instruction sets without one for bytes (vpmaddubsw saturates).
#pragma once

#include <cstdint>

#include "kernels/cpu/isa/vector.hpp"

namespace plume::kernels::isa {

// Bytes widened to 16 bits, the even ones apart from the odd ones. Isa::pair_sums(a, b) multiplies 16-bit lanes and adds
// neighbours, into 32 bits.
template <class Isa>
struct WidenedDot {
  using Sums = typename Vector<Isa, std::int32_t>::type;
  using Halves = typename Vector<Isa, std::int16_t>::type;
  using UnsignedHalves = typename Vector<Isa, std::uint16_t>::type;
  struct Bytes {
    Halves even;
    Halves odd;
  };

  [[gnu::always_inline]] static Bytes weights(const std::int8_t* from) {
    const auto pairs = *reinterpret_cast<const Halves*>(from);
    return {(pairs << 8) >> 8, pairs >> 8};
  }
  [[gnu::always_inline]] static Bytes inputs(const std::uint8_t* from) {
    std::int32_t four = 0;
    __builtin_memcpy(&four, from, sizeof four);
    const auto pairs = reinterpret_cast<UnsignedHalves>(Sums{} + four);
    return {reinterpret_cast<Halves>(pairs & 0xFF), reinterpret_cast<Halves>(pairs >> 8)};
  }
  [[gnu::always_inline]] static Sums add(Sums sum, const Bytes& x, const Bytes& w) {
    return sum + Isa::pair_sums(x.even, w.even) + Isa::pair_sums(x.odd, w.odd);
  }
};

}  // namespace plume::kernels::isa
