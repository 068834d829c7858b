// What ran: kernels with their largest grids, marked branches, and barrier sites; written out when the program ends.
#pragma once

#include <cstdint>

#include "emulator/coverage.hpp"
#include "emulator/launch.hpp"

namespace plume::emulator {

void note_launch(Kernel& kernel, std::uint64_t blocks);

}  // namespace plume::emulator
