// What ran: kernels with their largest grids, marked branches, and sites of synchronisation; written out when the program
// ends, for the checks in tests/emulator.
#pragma once

#include <cstdint>
#include <source_location>

#include "emulator/coverage.hpp"
#include "emulator/launch.hpp"

namespace plume::emulator {

void note_launch(Kernel& kernel, std::uint64_t blocks);

// Notes that a barrier or wait was reached. True: act as if it were not there (PLUME_EMULATOR_SKIP=FILE:LINE), which
// must make some test fail.
[[nodiscard]] bool left_out(const char* what, const std::source_location& site);

}  // namespace plume::emulator
