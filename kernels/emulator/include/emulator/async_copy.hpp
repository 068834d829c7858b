// cp.async: 16-byte copies from global to shared memory that land only when their own thread waits for them.
#pragma once

#include <source_location>

namespace plume::emulator {

void async_copy16(void* shared, const void* global, bool valid, std::source_location site);
void async_commit();
void async_wait(int pending, std::source_location site);

}  // namespace plume::emulator
