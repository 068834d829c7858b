// The meeting of a warp's lanes, on which shuffles, votes and the matrix instructions stand.
#pragma once

#include "kernels/emulator/block.hpp"

namespace plume::emulator {

// Returns when all lanes of `mask` have called with the same mask and combine, and combine has seen all their calls.
void warp_collective(unsigned mask, Meeting::Combine combine, void* call, const char* what, Site site);

}  // namespace plume::emulator
