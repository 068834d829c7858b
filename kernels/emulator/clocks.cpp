// Clocks of a block's threads.
#include "kernels/emulator/clocks.hpp"

#include <algorithm>

namespace plume::emulator {

void Clocks::begin_block(unsigned threads) {
  threads_ = threads;
  clock_ = 0;
  floor_ = 0;
  std::fill_n(now_.begin(), threads, 0);
  warp_floor_.fill(0);
  if (partial_used_) partial_ = {};
  if (named_used_) {
    warps_ = {};
    arrivals_ = {};
  }
  partial_used_ = false;
  named_used_ = false;
}

void Clocks::block_barrier() {
  floor_ = ++clock_;
  std::fill_n(now_.begin(), threads_, clock_);
}

void Clocks::warp_barrier(unsigned warp, unsigned mask) {
  ++clock_;
  const unsigned first = warp * 32;
  if (mask == ~0U) {
    warp_floor_[warp] = clock_;
    std::fill_n(now_.begin() + first, 32, clock_);
    return;
  }
  partial_used_ = true;
  std::array<Time, 32> known{};
  for (unsigned lane = 0; lane < 32; ++lane) {
    if ((mask >> lane & 1U) == 0) continue;
    for (unsigned other = 0; other < 32; ++other) {
      known[other] = std::max(known[other], partial_[first + lane][other]);
    }
    now_[first + lane] = clock_;
  }
  for (unsigned lane = 0; lane < 32; ++lane) {
    if ((mask >> lane & 1U) != 0) known[lane] = clock_;
  }
  for (unsigned lane = 0; lane < 32; ++lane) {
    if ((mask >> lane & 1U) != 0) partial_[first + lane] = known;
  }
}

void Clocks::arrive(int barrier, unsigned thread) {
  named_used_ = true;
  Time& time = arrivals_[static_cast<std::size_t>(barrier)].time[thread / 32];
  if (time == 0) time = ++clock_;
  now_[thread] = std::max(now_[thread], time);
}

void Clocks::open(int barrier, const std::vector<unsigned>& waiting) {
  auto& times = arrivals_[static_cast<std::size_t>(barrier)].time;
  std::array<Time, max_warps> known{};
  for (unsigned warp = 0; warp < max_warps; ++warp) {
    if (times[warp] == 0) continue;
    for (unsigned other = 0; other < max_warps; ++other) known[other] = std::max(known[other], warps_[warp][other]);
    known[warp] = std::max(known[warp], times[warp]);
  }
  std::array<bool, max_warps> leaves{};
  for (const unsigned thread : waiting) leaves[thread / 32] = true;
  for (unsigned warp = 0; warp < max_warps; ++warp) {
    if (!leaves[warp]) continue;
    for (unsigned other = 0; other < max_warps; ++other) {
      warps_[warp][other] = std::max(warps_[warp][other], known[other]);
    }
  }
  times.fill(0);
}

}  // namespace plume::emulator
