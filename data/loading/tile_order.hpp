// The order in which a cycle visits tiles: a permutation of all of them, or one that stays in a window of neighbours for
// as long as that has tiles left, for file systems that hate random reads.
#pragma once

#include <algorithm>
#include <cstdint>

#include "data/loading/permutation.hpp"
#include "kernels/base/philox.hpp"

namespace plume::data {

class TileOrder {
 public:
  // Of `size` tiles >= 1, in windows of `window`; 0: of all. The windows' borders are drawn anew in each cycle, so that
  // over the cycles any neighbours meet; the last one of a cycle has what is left over.
  TileOrder(std::uint64_t seed, std::uint32_t purpose, std::uint64_t cycle, std::uint32_t size, std::uint32_t window)
      : seed_(seed),
        purpose_(purpose),
        cycle_(cycle),
        size_(size),
        window_(window == 0 ? size : std::min(window, size)) {}

  // The tile at a place of the cycle, place < size.
  [[nodiscard]] std::uint32_t operator()(std::uint32_t place) const {
    if (window_ == size_) return Permutation(seed_, purpose_, cycle_, size_)(place);
    const std::uint32_t whole = size_ / window_;
    const std::uint32_t turn = place / window_;
    const std::uint32_t window =
        turn < whole ? Permutation(seed_, window_purpose ^ purpose_, cycle_, whole)(turn) : whole;
    const std::uint32_t first = window * window_;
    const std::uint32_t count = std::min(window_, size_ - first);
    const std::uint32_t inside = Permutation(seed_, purpose_, cycle_ * (whole + 1) + window, count)(place % window_);
    return static_cast<std::uint32_t>((std::uint64_t{start()} + first + inside) % size_);
  }

 private:
  static constexpr std::uint32_t window_purpose = 0x77000000;

  // Of the first window in the row of tiles.
  [[nodiscard]] std::uint32_t start() const {
    return Philox(seed_, window_purpose ^ purpose_, static_cast<std::uint32_t>(cycle_),
                  static_cast<std::uint32_t>(cycle_ >> 32U))
        .below(size_);
  }

  std::uint64_t seed_;
  std::uint32_t purpose_;
  std::uint64_t cycle_;
  std::uint32_t size_;
  std::uint32_t window_;
};

}  // namespace plume::data
