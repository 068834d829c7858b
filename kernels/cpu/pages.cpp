// Large pages are a request; nothing depends on whether it is granted.
#include "kernels/cpu/pages.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>

namespace plume::kernels {

void* allocate_pages(std::size_t bytes) noexcept {
  constexpr std::size_t line = 64;
  constexpr std::size_t large_page = std::size_t{2} << 20;
  const std::size_t alignment = bytes < large_page ? line : large_page;
  const std::size_t rounded = std::max((bytes + alignment - 1) / alignment * alignment, alignment);
  void* memory = std::aligned_alloc(alignment, rounded);
#ifdef MADV_HUGEPAGE
  if (memory && alignment == large_page) static_cast<void>(madvise(memory, rounded, MADV_HUGEPAGE));
#endif
  return memory;
}

}  // namespace plume::kernels
