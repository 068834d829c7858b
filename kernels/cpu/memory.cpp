// Memory of the CPU.
#include "kernels/memory.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "kernels/base/error.hpp"

namespace plume::kernels {

Memory allocate(std::size_t bytes, CpuStream&) {
  constexpr std::size_t alignment = 64;
  const std::size_t rounded = std::max((bytes + alignment - 1) / alignment * alignment, alignment);
  auto* data = static_cast<std::byte*>(std::aligned_alloc(alignment, rounded));
  return data ? Memory(data, bytes, [](std::byte* memory) noexcept { std::free(memory); }) : Memory();
}

Memory allocate_pinned(std::size_t bytes, CpuStream& stream) {
  Memory memory = allocate(bytes, stream);
  if (!memory) throw environment_error("out of memory: {:.1f} MiB", static_cast<double>(bytes) / 1048576);
  return memory;
}

void upload(void* to, const void* from, std::size_t bytes, CpuStream&) {
  std::memcpy(to, from, bytes);
}

void download(void* to, const void* from, std::size_t bytes, CpuStream&) {
  std::memcpy(to, from, bytes);
}

void copy_bytes(void* to, const void* from, std::size_t bytes, CpuStream&) {
  std::memcpy(to, from, bytes);
}

void fill_zero(void* to, std::size_t bytes, CpuStream&) {
  std::memset(to, 0, bytes);
}

}  // namespace plume::kernels
