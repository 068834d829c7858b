// cp.async: until its wait a copy's destination holds poison, so that whoever reads it early, or still, gets NaNs.
#include "emulator/async_copy.hpp"

#include <cstring>

#include "kernels/emulator/block.hpp"
#include "kernels/emulator/coverage.hpp"
#include "kernels/emulator/races.hpp"
#include "kernels/emulator/report.hpp"
#include "kernels/emulator/shared_arena.hpp"

namespace plume::emulator {
namespace {

constexpr std::size_t width = 16;

void land(const AsyncCopy& copy, const void* code) {
  Races::get().access(copy.to, width, true, code);
  if (copy.valid) {
    std::memcpy(copy.to, copy.from, width);
  } else {
    std::memset(copy.to, 0, width);
  }
}

}  // namespace

void async_copy16(void* shared, const void* global, bool valid, std::source_location site) {
  if (reinterpret_cast<std::uintptr_t>(shared) % width != 0) {
    kernel_error(site, "cp.async: the shared address is not 16-byte aligned");
  }
  if (valid && reinterpret_cast<std::uintptr_t>(global) % width != 0) {
    kernel_error(site, "cp.async: the global address is not 16-byte aligned");
  }
  if (!shared_arena().holds(shared, width)) kernel_error(site, "cp.async: the destination is not shared memory");
  Races& races = Races::get();
  races.access(shared, width, true, __builtin_return_address(0));
  if (valid) races.access(global, width, false, __builtin_return_address(0));
  std::memset(shared, poison, width);
  Block::current().thread().copies.push_back(
      {static_cast<std::byte*>(shared), static_cast<const std::byte*>(global), valid});
}

void async_commit() {
  Thread& thread = Block::current().thread();
  thread.groups.push_back(thread.copies.size());
}

void async_wait(int pending, std::source_location site) {
  if (left_out("cp_async_wait", site)) return;
  Thread& thread = Block::current().thread();
  const auto keep = static_cast<std::size_t>(pending);
  if (thread.groups.size() <= keep) return;
  const std::size_t groups = thread.groups.size() - keep;
  const std::size_t copies = thread.groups[groups - 1];
  for (std::size_t i = 0; i < copies; ++i) land(thread.copies[i], __builtin_return_address(0));
  thread.copies.erase(thread.copies.begin(), thread.copies.begin() + static_cast<std::ptrdiff_t>(copies));
  thread.groups.erase(thread.groups.begin(), thread.groups.begin() + static_cast<std::ptrdiff_t>(groups));
  for (std::size_t& end : thread.groups) end -= copies;
}

}  // namespace plume::emulator
