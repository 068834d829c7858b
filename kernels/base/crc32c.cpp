// Eight bytes at a time: by SSE 4.2's crc32, else by eight tables.
// Source: Kounavis and Berry, "A systematic approach to building high performance software-based CRC generators", 2005
// (slicing by 8).
#include "kernels/base/crc32c.hpp"

#include <array>
#include <bit>
#include <cstring>

namespace plume {
namespace {

constexpr std::uint32_t polynomial = 0x82F63B78;  // 0x1EDC6F41, its bits in reverse
constexpr std::size_t step = 8;

using Tables = std::array<std::array<std::uint32_t, 256>, step>;

// tables[k][b]: what byte b does to the remainder when k more bytes follow.
constexpr Tables make_tables() {
  Tables tables{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t remainder = byte;
    for (int bit = 0; bit < 8; ++bit) remainder = remainder >> 1 ^ ((remainder & 1) != 0 ? polynomial : 0);
    tables[0][byte] = remainder;
  }
  for (std::size_t k = 1; k < step; ++k) {
    for (std::size_t byte = 0; byte < 256; ++byte) {
      const auto before = tables[k - 1][byte];
      tables[k][byte] = before >> 8 ^ tables[0][before & 0xFF];
    }
  }
  return tables;
}

constexpr Tables tables = make_tables();

#if defined(__x86_64__)
[[gnu::target("sse4.2")]] std::uint32_t by_instruction(std::span<const std::byte> bytes, std::uint32_t before) {
  std::uint64_t remainder = ~before;
  for (; bytes.size() >= step; bytes = bytes.subspan(step)) {
    std::uint64_t value = 0;
    std::memcpy(&value, bytes.data(), step);
    remainder = __builtin_ia32_crc32di(remainder, value);
  }
  auto rest = static_cast<std::uint32_t>(remainder);
  for (const auto value : bytes) rest = __builtin_ia32_crc32qi(rest, static_cast<std::uint8_t>(value));
  return ~rest;
}
#endif

}  // namespace

std::uint32_t crc32c_by_tables(std::span<const std::byte> bytes, std::uint32_t before) {
  static_assert(std::endian::native == std::endian::little);
  std::uint32_t remainder = ~before;
  for (; bytes.size() >= step; bytes = bytes.subspan(step)) {
    std::uint64_t value = 0;
    std::memcpy(&value, bytes.data(), step);
    value ^= remainder;
    remainder = 0;
    for (std::size_t k = 0; k < step; ++k) remainder ^= tables[step - 1 - k][value >> 8 * k & 0xFF];
  }
  for (const auto value : bytes)
    remainder = remainder >> 8 ^ tables[0][(remainder ^ static_cast<std::uint8_t>(value)) & 0xFF];
  return ~remainder;
}

std::uint32_t crc32c(std::span<const std::byte> bytes, std::uint32_t before) {
#if defined(__x86_64__)
  static const bool has_instruction = __builtin_cpu_supports("sse4.2") != 0;
  if (has_instruction) return by_instruction(bytes, before);
#endif
  return crc32c_by_tables(bytes, before);
}

}  // namespace plume
