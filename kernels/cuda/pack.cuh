// Several neighbouring elements that one thread moves at once.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/base/host_device.hpp"
#include "kernels/image.hpp"

namespace plume::kernels::cuda {

template <class T, int N>
struct alignas(sizeof(T) * N) Pack {
  T values[N];
};

// How many elements make a 16-byte access.
template <class T>
inline constexpr int pack_size = 16 / static_cast<int>(sizeof(T));

// Whether each pixel of an image can be moved in packs of 16 bytes.
template <class T>
[[nodiscard]] bool packs(const Image<T>& image) {
  return reinterpret_cast<std::uintptr_t>(image.data) % 16 == 0 && image.stride % pack_size<T> == 0 &&
         image.c % pack_size<T> == 0;
}

}  // namespace plume::kernels::cuda
