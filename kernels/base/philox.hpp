// Philox4x32-10, a counter-based random generator: any draw is a pure function of its key and counter, so no state has
// to be saved, shared between threads or sent between ranks.
// Source: Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
#pragma once

#include <array>
#include <cmath>
#include <cstdint>

namespace plume {

using PhiloxBlock = std::array<std::uint32_t, 4>;

[[nodiscard]] constexpr PhiloxBlock philox(std::uint64_t key, PhiloxBlock counter) {
  auto key0 = static_cast<std::uint32_t>(key);
  auto key1 = static_cast<std::uint32_t>(key >> 32);
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t product0 = std::uint64_t{0xD2511F53} * counter[0];
    const std::uint64_t product1 = std::uint64_t{0xCD9E8D57} * counter[2];
    counter = {static_cast<std::uint32_t>(product1 >> 32) ^ counter[1] ^ key0, static_cast<std::uint32_t>(product1),
               static_cast<std::uint32_t>(product0 >> 32) ^ counter[3] ^ key1, static_cast<std::uint32_t>(product0)};
    key0 += 0x9E3779B9;
    key1 += 0xBB67AE85;
  }
  return counter;
}

// A sequence of draws keyed by (seed, stream): e.g. seed = the run's, stream = (purpose, epoch, sample).
class Philox {
 public:
  Philox(std::uint64_t seed, std::uint32_t purpose, std::uint32_t a = 0, std::uint32_t b = 0)
      : key_(seed), counter_{0, purpose, a, b} {}

  [[nodiscard]] std::uint32_t next() {
    if (used_ == 4) {
      block_ = philox(key_, counter_);
      ++counter_[0];
      used_ = 0;
    }
    return block_[used_++];
  }

  // Uniform in [0, 1) with 24 bits.
  [[nodiscard]] float uniform() { return static_cast<float>(next() >> 8) * 0x1p-24F; }

  // Uniform in {0, ..., bound - 1}; without bias (Lemire 2019).
  [[nodiscard]] std::uint32_t below(std::uint32_t bound) {
    std::uint64_t product = std::uint64_t{next()} * bound;
    if (static_cast<std::uint32_t>(product) < bound) {
      const std::uint32_t threshold = (0U - bound) % bound;
      while (static_cast<std::uint32_t>(product) < threshold) product = std::uint64_t{next()} * bound;
    }
    return static_cast<std::uint32_t>(product >> 32);
  }

  // Standard normal (Box and Muller 1958), one of the pair used.
  [[nodiscard]] float normal() {
    const double radius = std::sqrt(-2.0 * std::log((next() + 1.0) * 0x1p-32));
    return static_cast<float>(radius * std::cos(6.283185307179586 * (next() * 0x1p-32)));
  }

 private:
  std::uint64_t key_;
  PhiloxBlock counter_;
  PhiloxBlock block_{};
  unsigned used_ = 4;
};

}  // namespace plume
