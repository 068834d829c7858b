// bfloat16: the upper half of an IEEE 754 binary32, a storage type; arithmetic is done in float.
#pragma once

#include <bit>
#include <cstdint>

#include "kernels/base/host_device.hpp"

namespace plume {

class bf16 {
 public:
  bf16() = default;
  // Rounds to nearest, ties to even; a NaN stays one.
  PLUME_HD explicit bf16(float value) : bits_(rounded(std::bit_cast<std::uint32_t>(value))) {}
  PLUME_HD operator float() const {  // NOLINT(google-explicit-constructor): exact
    return std::bit_cast<float>(static_cast<std::uint32_t>(bits_) << 16);
  }

  [[nodiscard]] PLUME_HD static bf16 from_bits(std::uint16_t bits) {
    bf16 result{};
    result.bits_ = bits;
    return result;
  }
  [[nodiscard]] PLUME_HD std::uint16_t bits() const { return bits_; }

 private:
  PLUME_HD static std::uint16_t rounded(std::uint32_t word) {
    if ((word & 0x7FFFFFFFU) > 0x7F800000U) return static_cast<std::uint16_t>(word >> 16 | 0x40U);
    return static_cast<std::uint16_t>((word + 0x7FFFU + (word >> 16 & 1U)) >> 16);
  }

  std::uint16_t bits_;
};

}  // namespace plume
