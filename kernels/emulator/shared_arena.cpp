// Placement, poison and red zones of a block's shared memory.
#include "kernels/emulator/shared_arena.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <cstring>

#include "emulator/shared_memory.hpp"
#include "kernels/base/error.hpp"
#include "kernels/emulator/block.hpp"
#include "kernels/emulator/races.hpp"
#include "kernels/emulator/report.hpp"

namespace plume::emulator {
namespace {

constexpr std::size_t red_zone = 128;
constexpr unsigned char red = 0xfe;
constexpr std::size_t capacity =
    AddressSpace::shared_bytes;  // what fits the limit, with the red zones of many small arrays

std::string where_block() {
  const Block& block = Block::current();
  return fmt::format("kernel {}, block ({},{},{})", block.launch().kernel->name, blockIdx.x, blockIdx.y, blockIdx.z);
}

}  // namespace

SharedArena& shared_arena() {
  static SharedArena arena;
  return arena;
}

SharedArena::SharedArena() {
  memory_ = address_space();
  if (mprotect(memory_, capacity, PROT_READ | PROT_WRITE) != 0) {
    throw environment_error("no memory for emulated shared memory");
  }
}

void SharedArena::begin(const Launch& launch) {
  pieces_.clear();
  used_ = 0;
  static_bytes_ = 0;
  dynamic_bytes_ = 0;
  if (launch.dynamic_shared > 0) {
    dynamic_bytes_ = launch.dynamic_shared;
    place(nullptr, "the dynamic part", launch.dynamic_shared, 16);
  }
}

const SharedArena::Piece& SharedArena::place(const void* declaration, const char* name, std::size_t bytes,
                                             std::size_t alignment) {
  const std::size_t align = std::max<std::size_t>(alignment, 16);
  const std::size_t offset = (used_ + red_zone + align - 1) / align * align;
  if (offset + bytes + red_zone > capacity) {
    throw KernelError(fmt::format("{}: {} has no room in shared memory", where_block(), name));
  }
  std::memset(memory_ + used_, red, offset - used_);
  std::memset(memory_ + offset, poison, bytes);
  std::memset(memory_ + offset + bytes, red, red_zone);
  used_ = offset + bytes;
  pieces_.push_back({declaration, name, offset, bytes});
  return pieces_.back();
}

void* SharedArena::take_static(const void* declaration, const char* name, std::size_t bytes, std::size_t alignment) {
  for (const Piece& piece : pieces_) {
    if (piece.declaration == declaration) return memory_ + piece.offset;
  }
  static_bytes_ += bytes;
  if (static_bytes_ > static_shared_limit) {
    throw KernelError(fmt::format("{}: {} bytes of static shared memory with {}; the limit is {}", where_block(),
                                  static_bytes_, name, static_shared_limit));
  }
  const bool opted_in = dynamic_limit(*Block::current().launch().kernel) > static_shared_limit;
  const std::size_t limit = opted_in ? shared_limit : static_shared_limit;
  if (static_bytes_ + dynamic_bytes_ > limit) {
    throw KernelError(fmt::format("{}: {} bytes of static and {} of dynamic shared memory are more than {}",
                                  where_block(), static_bytes_, dynamic_bytes_, limit));
  }
  return memory_ + place(declaration, name, bytes, alignment).offset;
}

void* SharedArena::dynamic(std::size_t alignment, std::source_location site) {
  if (dynamic_bytes_ == 0) kernel_error(site, "dynamic shared memory, but the launch asked for none");
  if (alignment > 16) kernel_error(site, "dynamic shared memory is aligned to 16 bytes, not {}", alignment);
  return memory_ + pieces_.front().offset;
}

bool SharedArena::holds(const void* address, std::size_t bytes) const {
  const auto* from = static_cast<const std::byte*>(address);
  return std::any_of(pieces_.begin(), pieces_.end(), [&](const Piece& piece) {
    return from >= memory_ + piece.offset && from + bytes <= memory_ + piece.offset + piece.bytes;
  });
}

void SharedArena::end() {
  const auto is_red = [](std::byte value) { return value == std::byte{red}; };
  for (const Piece& piece : pieces_) {
    const std::byte* begin = memory_ + piece.offset;
    const std::byte* after = begin + piece.bytes;
    if (!std::all_of(begin - red_zone, begin, is_red)) {
      throw KernelError(fmt::format("{}: a write before the start of shared {}", where_block(), piece.name));
    }
    if (!std::all_of(after, after + red_zone, is_red)) {
      throw KernelError(
          fmt::format("{}: a write past the end of shared {} ({} bytes)", where_block(), piece.name, piece.bytes));
    }
  }
}

void* static_shared(const void* declaration, const char* name, std::size_t bytes, std::size_t alignment) {
  return shared_arena().take_static(declaration, name, bytes, alignment);
}

void* dynamic_shared_memory(std::size_t alignment, std::source_location site) {
  return shared_arena().dynamic(alignment, site);
}

}  // namespace plume::emulator
