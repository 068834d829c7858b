// Records which kernels ran, which marked branches were taken and which masks held something back, for the checks that
// tests reach all of them and need each.
#pragma once

#include <source_location>

namespace plume::emulator {

struct CoverPoint {
  const char* file;
  unsigned line;
  const char* name;
  const char* function;
};
void cover(const CoverPoint& point);

// A mask holds something back. True: act as if it did not.
[[nodiscard]] bool mask_left_out(const std::source_location& site);

}  // namespace plume::emulator

// Marks a branch of device code that a test must take: `wrapped` (a stage index or a grid-stride loop came round).
#define PLUME_COVER(name)                                                                                \
  do {                                                                                                   \
    static bool plume_covered = false;                                                                   \
    if (!plume_covered) {                                                                                \
      plume_covered = true;                                                                              \
      ::plume::emulator::cover({__FILE__, static_cast<unsigned>(__LINE__), #name, __PRETTY_FUNCTION__}); \
    }                                                                                                    \
  } while (false)
