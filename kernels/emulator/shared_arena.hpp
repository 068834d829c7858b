// The shared memory of the block that runs: poisoned, fenced with red zones, and no larger than an H100's.
#pragma once

#include <cstddef>
#include <source_location>
#include <vector>

#include "emulator/launch.hpp"

namespace plume::emulator {

inline constexpr std::size_t shared_limit = 227 * 1024;        // per block, with opt-in
inline constexpr std::size_t static_shared_limit = 48 * 1024;  // without
inline constexpr unsigned char poison = 0xff;                  // a NaN in every floating-point type

// Bytes of dynamic shared memory that the kernel may be launched with.
std::size_t dynamic_limit(const Kernel& kernel);

class SharedArena {
 public:
  SharedArena();
  SharedArena(const SharedArena&) = delete;
  SharedArena& operator=(const SharedArena&) = delete;

  void begin(const Launch& launch);
  // Throws KernelError where a red zone was written.
  void end();

  void* take_static(const void* declaration, const char* name, std::size_t bytes, std::size_t alignment);
  void* dynamic(std::size_t alignment, std::source_location site);
  // Whether [address, address + bytes) lies in one array of this block.
  [[nodiscard]] bool holds(const void* address, std::size_t bytes) const;

 private:
  struct Piece {
    const void* declaration;
    const char* name;
    std::size_t offset;
    std::size_t bytes;
  };
  const Piece& place(const void* declaration, const char* name, std::size_t bytes, std::size_t alignment);

  std::byte* memory_ = nullptr;
  std::size_t used_ = 0;
  std::size_t static_bytes_ = 0;
  std::size_t dynamic_bytes_ = 0;
  std::vector<Piece> pieces_;
};

SharedArena& shared_arena();

}  // namespace plume::emulator
