// The race detector: every access of kernel code to device or shared memory, checked against those before it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "kernels/emulator/clocks.hpp"

namespace plume::emulator {

// Addresses that kernels share: the shared memory of the block first, then the device's. One range, so that an access
// elsewhere (a stack, a host object) is told apart by one comparison.
struct AddressSpace {
  static constexpr std::size_t bytes = std::size_t{1} << 36U;  // of addresses, not of memory
  static constexpr std::size_t shared_bytes = std::size_t{1} << 20U;
  static constexpr std::size_t page = 4096;
};
[[nodiscard]] std::byte* address_space();

class Races {
 public:
  static Races& get();

  Clocks clocks;

  void begin_launch();
  void begin_block(unsigned threads);
  void end_launch() { active_ = false; }

  // An access by the thread that runs; `code` is where in the program it is.
  void access(const void* address, std::size_t bytes, bool writes, const void* code) {
    const auto offset = static_cast<std::size_t>(static_cast<const std::byte*>(address) - base_);
    if (offset < AddressSpace::bytes && active_) check(offset, bytes, writes, code);
  }
  // As access, by an instruction that needs `address` to be a multiple of its size.
  void aligned_access(const void* address, std::size_t bytes, bool writes, const void* code);
  // Orders this block after those that did an atomic on the same address (their fence is taken for granted).
  void atomic(const void* address);

  // Tells where the data on an allocation's pages lies, so that accesses beside it are seen; bytes = 0: none is left.
  void set_bounds(const std::byte* pages, std::size_t page_bytes, const std::byte* data, std::size_t bytes);

 private:
  Races();

  // One access: the block's number in the program's run and the thread, when, the word's bytes, and where in the code.
  struct Record {
    std::uint32_t block : 28;
    std::uint32_t mask : 4;  // 0: no record
    std::uint32_t time : 20;
    std::uint32_t thread : 11;
    std::uint32_t writes : 1;
    std::uint32_t code;  // from the program's start
  };
  using Cell = std::array<Record, 4>;  // of a 4-byte word; more accesses push out older ones
  struct Bounds {
    std::size_t start;
    std::size_t end;
  };

  void check(std::size_t offset, std::size_t bytes, bool writes, const void* code);
  void check_word(std::size_t word, const Record& now);
  [[nodiscard]] bool ordered(const Record& old, const Record& now) const;
  [[nodiscard]] bool in_bounds(std::size_t offset, std::size_t bytes) const;
  void report(std::size_t word, const Record& old, const Record& now) const;

  std::byte* base_;
  Cell* cells_;
  Bounds* bounds_;
  bool active_ = false;
  std::uint32_t launch_ = 1;  // the number of its first block
  std::uint32_t block_ = 0;
  std::size_t evicted_ = 0;
  std::unordered_map<const void*, std::vector<std::uint32_t>> atomics_;  // blocks, by address
  std::unordered_set<std::uint32_t> acquired_;
};

}  // namespace plume::emulator
