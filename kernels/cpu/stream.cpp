// The CPU stream's scratch memory and thread count.
#include "kernels/stream.hpp"

#include <omp.h>

#include <algorithm>
#include <cstdlib>
#include <new>

#include "kernels/cpu/pages.hpp"

namespace plume::kernels {

void Scratch::Free::operator()(void* memory) const noexcept {
  std::free(memory);
}

void* Scratch::reserve(std::size_t bytes) {
  if (bytes > capacity_) {
    const std::size_t roomy = bytes + bytes / 4;
    memory_.reset();
    capacity_ = 0;
    memory_.reset(allocate_pages(roomy));
    if (!memory_) throw std::bad_alloc();
    capacity_ = roomy;
  }
  return memory_.get();
}

CpuStream::CpuStream(int threads, ConvPolicy convolutions)
    : threads_(std::min(threads > 0 ? threads : omp_get_max_threads(), largest_team)),
      convolutions_(convolutions),
      shared_(purposes),
      local_(static_cast<std::size_t>(threads_) * slots) {}

}  // namespace plume::kernels
