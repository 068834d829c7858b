// Bad addresses in kernels.
#pragma once

namespace plume::emulator {

// From now on, a kernel that touches memory it may not have says so, with its place, before the program dies.
void explain_faults();

}  // namespace plume::emulator
