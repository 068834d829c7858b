// Where the emulated device's memory comes from, and what lies around it.
#include "kernels/emulator/device_memory.hpp"

#include <fmt/format.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <iterator>

#include "kernels/base/error.hpp"
#include "kernels/emulator/races.hpp"
#include "kernels/emulator/shared_arena.hpp"

namespace plume::emulator {
namespace {

constexpr std::size_t page = AddressSpace::page;
constexpr std::size_t alignment = 256;
constexpr std::byte red{0xfe};

constexpr std::size_t round_up(std::size_t bytes, std::size_t to) {
  return (bytes + to - 1) / to * to;
}

}  // namespace

DeviceMemory::DeviceMemory() : region_(address_space()), next_(AddressSpace::shared_bytes) {}

void* DeviceMemory::allocate(std::size_t bytes) {
  const std::size_t padded = round_up(std::max<std::size_t>(bytes, 1), alignment);
  const std::size_t page_bytes = round_up(padded + alignment, page);  // at least one red zone's width before the data
  if (used_ + bytes > capacity || next_ + page_bytes + 2 * page > AddressSpace::bytes) return nullptr;
  std::byte* pages = region_ + next_ + page;
  if (mprotect(pages, page_bytes, PROT_READ | PROT_WRITE) != 0) return nullptr;
  next_ += page + page_bytes;
  std::byte* data = pages + page_bytes - padded;
  std::memset(data, poison, bytes);
  Races::get().set_bounds(pages, page_bytes, data, bytes);
  paint_red_zones(data, allocations_[data] = {bytes, pages, page_bytes});
  used_ += bytes;
  return data;
}

bool DeviceMemory::release(void* address) {
  const auto found = allocations_.find(static_cast<std::byte*>(address));
  if (found == allocations_.end()) return false;
  const Allocation& allocation = found->second;
  Races::get().set_bounds(allocation.pages, allocation.page_bytes, allocation.pages, 0);
  madvise(allocation.pages, allocation.page_bytes, MADV_DONTNEED);
  mprotect(allocation.pages, allocation.page_bytes, PROT_NONE);
  used_ -= allocation.bytes;
  allocations_.erase(found);
  return true;
}

void DeviceMemory::release_all() {
  while (!allocations_.empty()) release(allocations_.begin()->first);
}

void* DeviceMemory::allocate_pinned(std::size_t bytes) {
  void* memory = std::aligned_alloc(page, round_up(std::max<std::size_t>(bytes, 1), page));
  if (memory == nullptr) return nullptr;
  std::memset(memory, poison, bytes);
  pinned_[static_cast<std::byte*>(memory)] = {bytes, true};
  return memory;
}

bool DeviceMemory::release_pinned(void* address) {
  const auto found = pinned_.find(static_cast<std::byte*>(address));
  if (found == pinned_.end() || !found->second.owned) return false;
  pinned_.erase(found);
  std::free(address);
  return true;
}

bool DeviceMemory::pin(void* address, std::size_t bytes) {
  if (place(address, bytes) != Place::host) return false;
  pinned_[static_cast<std::byte*>(address)] = {bytes, false};
  return true;
}

bool DeviceMemory::unpin(void* address) {
  const auto found = pinned_.find(static_cast<std::byte*>(address));
  if (found == pinned_.end() || found->second.owned) return false;
  pinned_.erase(found);
  return true;
}

Place DeviceMemory::place(const void* address, std::size_t bytes) const {
  auto* data = const_cast<std::byte*>(static_cast<const std::byte*>(address));
  const auto covers = [&](const auto& map) {
    const auto after = map.upper_bound(data);
    if (after == map.begin()) return false;
    const auto& [start, block] = *std::prev(after);
    return data + bytes <= start + block.bytes;
  };
  if (data >= region_ && data < region_ + AddressSpace::bytes)
    return covers(allocations_) ? Place::device : Place::lost;
  return covers(pinned_) ? Place::pinned : Place::host;
}

std::string DeviceMemory::damage(const std::byte* data, const Allocation& allocation) {
  const std::byte* after = data + allocation.bytes;
  const std::byte* end = allocation.pages + allocation.page_bytes;
  const auto is_red = [](std::byte value) { return value == red; };
  if (!std::all_of(after, end, is_red)) {
    return fmt::format("a write past the end of a device allocation of {} bytes", allocation.bytes);
  }
  if (!std::all_of(data - alignment, data, is_red)) {
    return fmt::format("a write before the start of a device allocation of {} bytes", allocation.bytes);
  }
  return {};
}

void DeviceMemory::paint_red_zones(std::byte* data, const Allocation& allocation) {
  std::fill(allocation.pages, data, red);
  std::fill(data + allocation.bytes, allocation.pages + allocation.page_bytes, red);
}

std::string DeviceMemory::take_damage() {
  std::string text;
  for (const auto& [data, allocation] : allocations_) {
    std::string found = damage(data, allocation);
    if (found.empty()) continue;
    paint_red_zones(data, allocation);
    if (text.empty()) text = std::move(found);
  }
  return text;
}

}  // namespace plume::emulator
