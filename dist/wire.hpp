// Floats on their way between ranks.
#pragma once

#include <cstdint>

#include "kernels/base/bfloat16.hpp"
#include "kernels/base/float16.hpp"

namespace plume::dist {

struct WireF32 {
  using Value = float;
  [[nodiscard]] static float pack(float value) { return value; }
  [[nodiscard]] static float unpack(float value) { return value; }
};

struct WireBf16 {
  using Value = std::uint16_t;
  [[nodiscard]] static std::uint16_t pack(float value) { return bf16(value).bits(); }
  [[nodiscard]] static float unpack(std::uint16_t bits) { return bf16::from_bits(bits); }
};

struct WireF16 {
  using Value = std::uint16_t;
  [[nodiscard]] static std::uint16_t pack(float value) { return f16_from_float(value); }
  [[nodiscard]] static float unpack(std::uint16_t bits) { return float_from_f16(bits); }
};

}  // namespace plume::dist
