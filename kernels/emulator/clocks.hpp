// Which accesses of a block's threads are ordered by the barriers and warp syncs between them: a vector clock in two
// levels, lanes within a warp and warps within the block.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "emulator/thread.hpp"

namespace plume::emulator {

// Time is a count of the block's synchronisations. An access carries the time of its thread's last one; it lies before
// another thread's present if that thread knows of a later synchronisation that the first took part in.
class Clocks {
 public:
  using Time = std::uint32_t;
  static constexpr unsigned max_threads = 1024;
  static constexpr unsigned max_warps = 32;

  void begin_block(unsigned threads);

  void block_barrier();
  void warp_barrier(unsigned warp, unsigned mask);
  // Each thread that comes to a named barrier; the last one's call is followed by open().
  void arrive(int barrier, unsigned thread);
  // `waiting` are the threads that leave the barrier; those that only arrived learn nothing.
  void open(int barrier, const std::vector<unsigned>& waiting);

  [[nodiscard]] Time now(unsigned thread) const { return now_[thread]; }
  [[nodiscard]] bool before(unsigned first, Time time, unsigned second) const {
    if (first == second || floor_ > time) return true;
    const unsigned from = first / 32;
    const unsigned to = second / 32;
    if (from == to && (warp_floor_[to] > time || (partial_used_ && partial_[second][first % 32] > time))) return true;
    return named_used_ && warps_[to][from] > time;
  }

 private:
  struct Arrivals {
    std::array<Time, max_warps> time{};  // of a warp's first thread; 0: none came
  };

  unsigned threads_ = 0;
  Time clock_ = 0;
  Time floor_ = 0;  // all threads know all that happened before
  std::array<Time, max_threads> now_{};
  std::array<Time, max_warps> warp_floor_{};
  bool partial_used_ = false;
  std::array<std::array<Time, 32>, max_threads> partial_{};  // what a thread knows of its warp's lanes
  bool named_used_ = false;
  std::array<std::array<Time, max_warps>, max_warps> warps_{};  // what a warp knows of another
  std::array<Arrivals, 16> arrivals_;
};

}  // namespace plume::emulator
