// The CPU stream's scratch memory and thread count.
#include "kernels/stream.hpp"

#include <omp.h>

#include <cstdlib>
#include <new>

namespace plume::kernels {

void Scratch::Free::operator()(void* memory) const noexcept {
  std::free(memory);
}

void* Scratch::reserve(std::size_t bytes) {
  if (bytes > capacity_) {
    const std::size_t rounded = (bytes + bytes / 4 + 4095) / 4096 * 4096;
    memory_.reset();
    capacity_ = 0;
    memory_.reset(std::aligned_alloc(64, rounded));
    if (!memory_) throw std::bad_alloc();
    capacity_ = rounded;
  }
  return memory_.get();
}

CpuStream::CpuStream(int threads, ConvPolicy convolutions)
    : threads_(threads > 0 ? threads : omp_get_max_threads()),
      convolutions_(convolutions),
      shared_(purposes),
      local_(static_cast<std::size_t>(threads_) * slots) {}

}  // namespace plume::kernels
