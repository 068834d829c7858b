// For tests that make errors on purpose.
#pragma once

#include <string>

namespace plume::emulator {

// Waits for all streams, and returns the report of the kernel that failed, or nothing; the device is then as new.
std::string take_report();

}  // namespace plume::emulator
