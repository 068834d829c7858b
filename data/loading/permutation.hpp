// A seeded permutation of 0 .. size - 1 that gives any one place without making the others.
// Source: Black and Rogaway, "Ciphers with arbitrary finite domains", 2002 (a Feistel network with cycle walking); the
// round function is Philox.
#pragma once

#include <bit>
#include <cstdint>

#include "kernels/base/philox.hpp"

namespace plume::data {

class Permutation {
 public:
  // `purpose` and `number` tell the permutations of one seed apart. size >= 1.
  Permutation(std::uint64_t seed, std::uint32_t purpose, std::uint64_t number, std::uint32_t size)
      : seed_(seed),
        purpose_(purpose),
        number_(static_cast<std::uint32_t>(number ^ (number >> 32) * 0x9E3779B9)),
        size_(size),
        half_bits_((static_cast<unsigned>(std::bit_width(size - 1)) + 1) / 2) {}

  // Where place goes, place < size. Distinct places go to distinct values.
  [[nodiscard]] std::uint32_t operator()(std::uint32_t place) const {
    if (size_ == 1) return 0;
    // The network permutes 0 .. 4^half_bits - 1; walking on from values beyond size stays on the place's own cycle.
    do {
      place = encrypt(place);
    } while (place >= size_);
    return place;
  }

 private:
  [[nodiscard]] std::uint32_t encrypt(std::uint32_t value) const {
    const std::uint32_t mask = (1U << half_bits_) - 1;
    std::uint32_t left = value >> half_bits_;
    std::uint32_t right = value & mask;
    for (std::uint32_t round = 0; round < 6; ++round) {
      const auto draw = philox(seed_, {right, purpose_ + (round << 24U), number_, 0x7065726D})[0];
      const std::uint32_t mixed = left ^ (draw & mask);
      left = right;
      right = mixed;
    }
    return left << half_bits_ | right;
  }

  std::uint64_t seed_;
  std::uint32_t purpose_;
  std::uint32_t number_;
  std::uint32_t size_;
  unsigned half_bits_;
};

}  // namespace plume::data
