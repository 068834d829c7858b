// Several neighbouring elements that one thread moves at once, in 16-byte accesses where they are aligned for it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "device_language.hpp"
#include "kernels/base/dtype.hpp"
#include "kernels/base/host_device.hpp"
#include "kernels/image.hpp"

namespace plume::kernels::cuda {

// May stand for memory of other types: bf16 is written in pairs.
template <class T, int N>
struct alignas(sizeof(T) * N) [[gnu::may_alias]] Pack {
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

// N neighbouring elements, computed with in float.
template <int N>
struct Floats {
  float values[N];

  PLUME_HD float& operator[](int i) { return values[i]; }
  PLUME_HD const float& operator[](int i) const { return values[i]; }
};

// `from` is aligned to N elements.
template <int N, class T>
__device__ Floats<N> load(const T* from) {
  const auto pack = *reinterpret_cast<const Pack<T, N>*>(from);
  Floats<N> result;
#pragma unroll
  for (int i = 0; i < N; ++i) result[i] = static_cast<float>(pack.values[i]);
  return result;
}

// `to` is aligned to N elements.
template <int N, class T>
__device__ void store(T* to, const Floats<N>& from) {
  if constexpr (std::is_same_v<T, bf16> && N > 1) {
    Pack<unsigned, N / 2> pack;
#pragma unroll
    for (int i = 0; i < N / 2; ++i) pack.values[i] = pack_bf16(from[2 * i], from[2 * i + 1]);
    *reinterpret_cast<Pack<unsigned, N / 2>*>(to) = pack;
  } else {
    Pack<T, N> pack;
#pragma unroll
    for (int i = 0; i < N; ++i) pack.values[i] = static_cast<T>(from[i]);
    *reinterpret_cast<Pack<T, N>*>(to) = pack;
  }
}

// to (+)= from
template <int N, class T>
__device__ void store(T* to, Floats<N> from, bool add) {
  if (add) {
    const Floats<N> before = load<N>(to);
#pragma unroll
    for (int i = 0; i < N; ++i) from[i] += before[i];
  }
  store(to, from);
}

}  // namespace plume::kernels::cuda
