// Device allocations: each on pages of its own between inaccessible ones, poisoned, with red zones up to the page's edge.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

namespace plume::emulator {

enum class Place { host, pinned, device, lost };  // lost: an address of the device's that no live allocation covers

class DeviceMemory {
 public:
  static constexpr std::size_t capacity = std::size_t{4} << 30;  // that the device admits to

  DeviceMemory();

  // 256-byte aligned; null where there is no room.
  void* allocate(std::size_t bytes);
  // False where `address` is not the start of a live allocation. Its pages become inaccessible for good.
  bool release(void* address);
  void release_all();

  void* allocate_pinned(std::size_t bytes);
  bool release_pinned(void* address);
  bool pin(void* address, std::size_t bytes);
  bool unpin(void* address);

  [[nodiscard]] Place place(const void* address, std::size_t bytes = 1) const;
  [[nodiscard]] std::size_t used() const { return used_; }
  // Describes an allocation whose red zone was written, and mends that; or is empty.
  [[nodiscard]] std::string take_damage();

 private:
  struct Allocation {
    std::size_t bytes;
    std::byte* pages;
    std::size_t page_bytes;
  };
  [[nodiscard]] static std::string damage(const std::byte* data, const Allocation& allocation);
  static void paint_red_zones(std::byte* data, const Allocation& allocation);

  std::byte* region_;
  std::size_t next_;  // addresses are never used twice
  std::size_t used_ = 0;
  std::map<std::byte*, Allocation> allocations_;
  struct Pinned {
    std::size_t bytes;
    bool owned;
  };
  std::map<std::byte*, Pinned> pinned_;
};

}  // namespace plume::emulator
