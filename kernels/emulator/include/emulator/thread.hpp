// What a running kernel thread sees: its indices, barriers, and warp operations.
#pragma once

#include <cstring>
#include <source_location>
#include <type_traits>

#include "emulator/vector_types.hpp"

// Set at every switch between threads; launches run one at a time, so plain variables do.
inline uint3 threadIdx{};
inline uint3 blockIdx{};
inline dim3 blockDim{};
inline dim3 gridDim{};
inline constexpr int warpSize = 32;

namespace plume::emulator {

using Site = std::source_location;

enum class Vote { any, all, count };
// __syncthreads and its reducing forms: all threads of the block, at one site.
int block_barrier(Vote vote, int predicate, Site site);
// bar.sync and bar.arrive: `threads` threads, counting those that only arrive.
void named_barrier(int id, int threads, bool wait, Site site);

void warp_barrier(unsigned mask, Site site);
unsigned warp_ballot(unsigned mask, bool predicate, Site site);
unsigned active_mask();
// The bits of `value` as lane `source` of the warp passed them; a source of -1 gives the caller's own.
std::uint64_t warp_exchange(unsigned mask, std::uint64_t value, int source, Site site);

[[nodiscard]] unsigned lane_id();

// The lane that a shuffle of the given width reads, or the own one where the segment ends (CUDA C++ Programming Guide).
constexpr int source_index(int lane, int source, int width) {
  return (lane & ~(width - 1)) | (source & (width - 1));
}
constexpr int source_below(int lane, int delta, int width) {
  return lane - delta < (lane & ~(width - 1)) ? lane : lane - delta;
}
constexpr int source_above(int lane, int delta, int width) {
  return lane + delta > (lane | (width - 1)) ? lane : lane + delta;
}
constexpr int source_xor(int lane, int mask, int width) {
  return (lane ^ mask) > (lane | (width - 1)) ? lane : lane ^ mask;
}

template <class T>
T shuffle(unsigned mask, T value, int source, Site site) {
  static_assert(std::is_trivially_copyable_v<T> && (sizeof(T) == 4 || sizeof(T) == 8), "CUDA shuffles 4 or 8 bytes");
  std::uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof value);
  bits = warp_exchange(mask, bits, source, site);
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

}  // namespace plume::emulator

inline void __syncthreads(plume::emulator::Site site = plume::emulator::Site::current()) {
  plume::emulator::block_barrier(plume::emulator::Vote::any, 0, site);
}
inline int __syncthreads_or(int predicate, plume::emulator::Site site = plume::emulator::Site::current()) {
  return plume::emulator::block_barrier(plume::emulator::Vote::any, predicate, site);
}
inline int __syncthreads_and(int predicate, plume::emulator::Site site = plume::emulator::Site::current()) {
  return plume::emulator::block_barrier(plume::emulator::Vote::all, predicate, site);
}
inline int __syncthreads_count(int predicate, plume::emulator::Site site = plume::emulator::Site::current()) {
  return plume::emulator::block_barrier(plume::emulator::Vote::count, predicate, site);
}
inline void __syncwarp(unsigned mask = ~0u, plume::emulator::Site site = plume::emulator::Site::current()) {
  plume::emulator::warp_barrier(mask, site);
}

template <class T>
T __shfl_sync(unsigned mask, T value, int source, int width = 32,
              plume::emulator::Site site = plume::emulator::Site::current()) {
  const int lane = static_cast<int>(plume::emulator::lane_id());
  return plume::emulator::shuffle(mask, value, plume::emulator::source_index(lane, source, width), site);
}
template <class T>
T __shfl_up_sync(unsigned mask, T value, unsigned delta, int width = 32,
                 plume::emulator::Site site = plume::emulator::Site::current()) {
  const int lane = static_cast<int>(plume::emulator::lane_id());
  return plume::emulator::shuffle(mask, value, plume::emulator::source_below(lane, static_cast<int>(delta), width),
                                  site);
}
template <class T>
T __shfl_down_sync(unsigned mask, T value, unsigned delta, int width = 32,
                   plume::emulator::Site site = plume::emulator::Site::current()) {
  const int lane = static_cast<int>(plume::emulator::lane_id());
  return plume::emulator::shuffle(mask, value, plume::emulator::source_above(lane, static_cast<int>(delta), width),
                                  site);
}
template <class T>
T __shfl_xor_sync(unsigned mask, T value, int lane_mask, int width = 32,
                  plume::emulator::Site site = plume::emulator::Site::current()) {
  const int lane = static_cast<int>(plume::emulator::lane_id());
  return plume::emulator::shuffle(mask, value, plume::emulator::source_xor(lane, lane_mask, width), site);
}
inline unsigned __ballot_sync(unsigned mask, int predicate,
                              plume::emulator::Site site = plume::emulator::Site::current()) {
  return plume::emulator::warp_ballot(mask, predicate != 0, site);
}
inline int __any_sync(unsigned mask, int predicate, plume::emulator::Site site = plume::emulator::Site::current()) {
  return plume::emulator::warp_ballot(mask, predicate != 0, site) != 0;
}
inline int __all_sync(unsigned mask, int predicate, plume::emulator::Site site = plume::emulator::Site::current()) {
  return plume::emulator::warp_ballot(mask, predicate != 0, site) == mask;
}
inline unsigned __activemask() {
  return plume::emulator::active_mask();
}
