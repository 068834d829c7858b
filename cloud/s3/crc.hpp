// Reflected cyclic redundancy checks of any width up to 64 bits, by tables, and what two pieces' checks give together.
// Source: Kounavis and Berry, "A systematic approach to building high performance software-based CRC generators", 2005
// (slicing by 8); zlib's crc32_combine for the idea of combining.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace plume::cloud {

// `polynomial` without its highest term, its bits in reverse.
template <class Word, Word polynomial>
class Crc {
 public:
  // Of `bytes` after those whose check is `before` (0: there are none).
  [[nodiscard]] static Word of(std::span<const std::byte> bytes, Word before = 0) {
    static_assert(std::endian::native == std::endian::little);
    Word remainder = static_cast<Word>(~before);
    for (; bytes.size() >= 8; bytes = bytes.subspan(8)) {
      std::uint64_t value = 0;
      std::memcpy(&value, bytes.data(), 8);
      value ^= remainder;
      remainder = 0;
      for (std::size_t k = 0; k < 8; ++k) remainder ^= tables[7 - k][value >> 8 * k & 0xFF];
    }
    for (const std::byte byte : bytes)
      remainder = static_cast<Word>(remainder >> 8 ^ tables[0][(remainder ^ static_cast<Word>(byte)) & 0xFF]);
    return static_cast<Word>(~remainder);
  }

  // Of bytes whose check is `first`, followed by `size` bytes whose check is `second`.
  [[nodiscard]] static Word combine(Word first, Word second, std::uint64_t size) {
    // A byte of 0 multiplies by x^8; repeated squaring gives x^(8 size).
    Word power = one >> 8;  // x^8
    Word product = one;     // x^0
    for (; size > 0; size >>= 1) {
      if ((size & 1) != 0) product = multiply(product, power);
      power = multiply(power, power);
    }
    return static_cast<Word>(multiply(first, product) ^ second);
  }

 private:
  static constexpr Word one = static_cast<Word>(Word{1} << (8 * sizeof(Word) - 1));  // x^0: bits are reversed

  using Tables = std::array<std::array<Word, 256>, 8>;
  static constexpr Tables make_tables() {
    Tables tables{};
    for (Word byte = 0; byte < 256; ++byte) {
      Word remainder = byte;
      for (int bit = 0; bit < 8; ++bit)
        remainder = static_cast<Word>(remainder >> 1 ^ ((remainder & 1) != 0 ? polynomial : 0));
      tables[0][byte] = remainder;
    }
    for (std::size_t k = 1; k < 8; ++k)
      for (std::size_t byte = 0; byte < 256; ++byte)
        tables[k][byte] = static_cast<Word>(tables[k - 1][byte] >> 8 ^ tables[0][tables[k - 1][byte] & 0xFF]);
    return tables;
  }
  static constexpr Tables tables = make_tables();

  // Modulo the polynomial.
  static Word multiply(Word a, Word b) {
    Word product = 0;
    for (; a != 0; a = static_cast<Word>(a << 1)) {
      if ((a & one) != 0) product ^= b;
      b = static_cast<Word>(b >> 1 ^ ((b & 1) != 0 ? polynomial : 0));
    }
    return product;
  }
};

using Crc32 = Crc<std::uint32_t, 0xEDB88320>;                 // zip, Ethernet
using Crc32c = Crc<std::uint32_t, 0x82F63B78>;                // kernels/base/crc32c.hpp computes it faster
using Crc64Nvme = Crc<std::uint64_t, 0x9A6C9329AC4BC9B5ULL>;  // NVM Express, NVM command set, 5.2.1.3.4

}  // namespace plume::cloud
