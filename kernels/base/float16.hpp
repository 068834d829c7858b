// IEEE 754 binary16 (1 sign, 5 exponent with bias 15, 10 fraction bits) to float, exactly, and back, rounded.
#pragma once

#include <bit>
#include <cstdint>

#include "kernels/base/host_device.hpp"

namespace plume {

[[nodiscard]] PLUME_HD constexpr float float_from_f16(std::uint16_t bits) {
  const std::uint32_t sign = (bits & 0x8000U) << 16;
  const std::uint32_t exponent = (bits >> 10) & 0x1FU;
  const std::uint32_t fraction = bits & 0x3FFU;
  if (exponent == 0) {  // zero and subnormals: fraction * 2^-24
    const float magnitude = static_cast<float>(fraction) * 0x1p-24F;
    return sign != 0 ? -magnitude : magnitude;
  }
  const std::uint32_t widened = exponent == 31 ? 255U : exponent + 127 - 15;  // infinity and NaN keep all ones
  return std::bit_cast<float>(sign | widened << 23 | fraction << 13);
}

// To nearest, ties to even; what is too large becomes infinite, a NaN stays one.
[[nodiscard]] PLUME_HD constexpr std::uint16_t f16_from_float(float value) {
  const auto word = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t sign = word >> 16 & 0x8000U;
  const std::uint32_t magnitude = word & 0x7FFFFFFFU;
  std::uint32_t bits = 0;
  if (magnitude > 0x7F800000U) {
    bits = 0x7E00U;
  } else if (magnitude >= 0x477FF000U) {  // 65520 and more
    bits = 0x7C00U;
  } else if (magnitude < 0x38800000U) {  // below 2^-14: adding 0.5 leaves multiples of 2^-24 in the last bits, rounded
    bits = std::bit_cast<std::uint32_t>(std::bit_cast<float>(magnitude) + 0.5F) - std::bit_cast<std::uint32_t>(0.5F);
  } else {
    const std::uint32_t odd = magnitude >> 13 & 1U;
    bits = (magnitude - ((127U - 15U) << 23) + 0xFFFU + odd) >> 13;
  }
  return static_cast<std::uint16_t>(sign | bits);
}

// A storage type, as bf16 is; arithmetic is done in float.
class f16 {
 public:
  f16() = default;
  PLUME_HD explicit f16(float value) : bits_(f16_from_float(value)) {}
  PLUME_HD operator float() const { return float_from_f16(bits_); }  // NOLINT(google-explicit-constructor): exact

  [[nodiscard]] PLUME_HD std::uint16_t bits() const { return bits_; }

 private:
  std::uint16_t bits_;
};

}  // namespace plume
