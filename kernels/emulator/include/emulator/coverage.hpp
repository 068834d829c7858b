// Records which kernels ran and which marked branches were taken, for the check that tests reach all of them.
#pragma once

namespace plume::emulator {

struct CoverPoint {
  const char* file;
  unsigned line;
  const char* name;
  const char* function;
};
void cover(const CoverPoint& point);

}  // namespace plume::emulator

// Marks a branch of device code that a test must take: `ragged` (a tail was masked), `wrapped` (a stage index or a
// grid-stride loop came round).
#define PLUME_COVER(name)                                                                                \
  do {                                                                                                   \
    static bool plume_covered = false;                                                                   \
    if (!plume_covered) {                                                                                \
      plume_covered = true;                                                                              \
      ::plume::emulator::cover({__FILE__, static_cast<unsigned>(__LINE__), #name, __PRETTY_FUNCTION__}); \
    }                                                                                                    \
  } while (false)
