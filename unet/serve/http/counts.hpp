// What a server counts, for whoever asks how it fares. Safe to read from any thread.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "unet/serve/histogram.hpp"

namespace plume::serve::http {

struct Counts {
  std::atomic<std::size_t> open{0};  // connections now
  std::atomic<std::uint64_t> accepted{0};
  std::atomic<std::uint64_t> evicted{0};                  // idle ones, closed to make room
  std::atomic<std::uint64_t> broken{0};                   // ended for want of memory
  std::atomic<std::uint64_t> unlogged{0};                 // lines of the access log that there was no room for
  std::array<std::atomic<std::uint64_t>, 600> answers{};  // by status
  Histogram seconds{second_bounds};                       // from a request's first byte to its answer's last
};

}  // namespace plume::serve::http
