// Memory of the CPU.
#include "kernels/memory.hpp"

#include <cstdlib>
#include <cstring>

#include "kernels/base/error.hpp"
#include "kernels/cpu/pages.hpp"

namespace plume::kernels {

Memory allocate(std::size_t bytes, CpuStream&) {
  auto* data = static_cast<std::byte*>(allocate_pages(bytes));
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
