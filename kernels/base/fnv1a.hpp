// A quick hash of text, the same everywhere and always; not against ill will.
// Source: Fowler, Noll and Vo, FNV-1a of 64 bits.
#pragma once

#include <cstdint>
#include <string_view>

namespace plume {

// Of `text` after what hashed to `before`.
[[nodiscard]] constexpr std::uint64_t fnv1a(std::string_view text, std::uint64_t before = 0xCBF29CE484222325) {
  std::uint64_t hash = before;
  for (const char character : text) hash = (hash ^ static_cast<unsigned char>(character)) * 0x100000001B3;
  return hash;
}

}  // namespace plume
