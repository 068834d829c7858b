// What ran: kernels with their largest grids, marked branches, and sites: barriers, waits, warp operations, and masks that
// held something back. Written out when the program ends, for the checks in tests/emulator.
#pragma once

#include <cstdint>
#include <source_location>

#include "emulator/coverage.hpp"
#include "emulator/launch.hpp"

namespace plume::emulator {

void note_launch(Kernel& kernel, std::uint64_t blocks);

// Notes that a site was reached. True: act as if it were not there, which must make some test fail (see leave_out in
// testing.hpp; at first what PLUME_EMULATOR_SKIP says).
[[nodiscard]] bool left_out(const char* what, const std::source_location& site);

}  // namespace plume::emulator
