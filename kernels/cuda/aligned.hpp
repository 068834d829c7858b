// Whether memory may be accessed several elements at a time.
#pragma once

#include <cstddef>
#include <cstdint>

namespace plume::kernels::cuda {

// Absent buffers are aligned to anything.
template <class T>
[[nodiscard]] bool aligned_to(const T* data, int elements) {
  return reinterpret_cast<std::uintptr_t>(data) % (sizeof(T) * static_cast<std::size_t>(elements)) == 0;
}

}  // namespace plume::kernels::cuda
