// For tests that make errors on purpose.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

struct CUstream_st;

namespace plume::emulator {

// Waits for all streams, and returns the report of the kernel that failed, or nothing; the device is then as new.
std::string take_report();

// From now on the barrier, wait, warp operation or mask at "file:line:column" (or all at "file:line") is left out; an
// empty place: none. The column is that of the call's parenthesis. Paths may lack their first parts.
void leave_out(std::string_view place);

// From now on captures are lost at their end, as on a device whose driver cannot make a graph of them.
void lose_captures(bool lose);

// What the device's UUID is made of; at first the process's id, so that each process has a device of its own.
void be_device(std::uint64_t number);

// Queues or captures work that begins once `may_run` says true: for stand-ins of libraries whose kernels wait for other
// processes. It is asked now and then, whenever the host waits or asks the stream. A cudaError_t.
int queue_when(CUstream_st* stream, std::function<bool()> may_run, std::function<void()> run);

}  // namespace plume::emulator
