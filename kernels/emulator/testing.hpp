// For tests that make errors on purpose.
#pragma once

#include <string>
#include <string_view>

namespace plume::emulator {

// Waits for all streams, and returns the report of the kernel that failed, or nothing; the device is then as new.
std::string take_report();

// From now on the barrier, wait, warp operation or mask at "file:line:column" (or all at "file:line") is left out; an
// empty place: none. The column is that of the call's parenthesis. Paths may lack their first parts.
void leave_out(std::string_view place);

// From now on captures are lost at their end, as on a device whose driver cannot make a graph of them.
void lose_captures(bool lose);

}  // namespace plume::emulator
