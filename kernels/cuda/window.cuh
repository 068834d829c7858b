// Where a pixel stands in its image, and 2x2 windows of pixels with the largest value of each.
#pragma once

#include <cstdint>

#include "device_language.hpp"
#include "kernels/cuda/pack.cuh"

namespace plume::kernels::cuda {

struct Place {
  int image;
  int row;
  int column;
};

// Of a pixel (or window) counted through images of h rows and w columns.
__device__ inline Place place_of(unsigned pixel, int h, int w) {
  const unsigned row = pixel / static_cast<unsigned>(w);
  const unsigned image = row / static_cast<unsigned>(h);
  return {static_cast<int>(image), static_cast<int>(row - image * static_cast<unsigned>(h)),
          static_cast<int>(pixel - row * static_cast<unsigned>(w))};
}

// The number of an image's windows along rows or columns, half windows included.
[[nodiscard]] PLUME_HD constexpr int windows_along(int pixels) {
  return (pixels + 1) / 2;
}
template <class T>
[[nodiscard]] PLUME_HD std::ptrdiff_t window_count(const Image<T>& image) {
  return std::ptrdiff_t{image.n} * windows_along(image.h) * windows_along(image.w);
}

// The pixel k of a window, row by row.
__device__ constexpr Place pixel_of(const Place& window, int k) {
  return {window.image, 2 * window.row + k / 2, 2 * window.column + k % 2};
}

template <class T>
__device__ bool contains(const Image<T>& image, const Place& place) {
  return place.row < image.h && place.column < image.w;
}

template <class T>
__device__ T* at(const Image<T>& image, const Place& place) {
  return image.at(place.image, place.row, place.column);
}

// A place's number among the pixels of all images.
template <class T>
__device__ std::ptrdiff_t number_of(const Image<T>& image, const Place& place) {
  return (std::ptrdiff_t{place.image} * image.h + place.row) * image.w + place.column;
}

// A pooled image's index is dense, whatever its stride.
template <class T>
__device__ std::ptrdiff_t index_offset(const Image<T>& pooled, const Place& place, int channel) {
  return number_of(pooled, place) * pooled.c + channel;
}
template <int N, class T>
__device__ Pack<std::uint8_t, N> load_index(const std::uint8_t* index, const Image<T>& pooled, const Place& place,
                                            int channel) {
  return *reinterpret_cast<const Pack<std::uint8_t, N>*>(index + index_offset(pooled, place, channel));
}
template <int N, class T>
__device__ void store_index(std::uint8_t* index, const Image<T>& pooled, const Place& place, int channel,
                            const Pack<std::uint8_t, N>& values) {
  *reinterpret_cast<Pack<std::uint8_t, N>*>(index + index_offset(pooled, place, channel)) = values;
}

// Whether a pooled image's index can be moved in packs as well.
[[nodiscard]] inline bool packs_index(const std::uint8_t* index, int pack) {
  return reinterpret_cast<std::uintptr_t>(index) % static_cast<std::uintptr_t>(pack) == 0;
}

// The largest of up to four values and which it was: the first wins a tie, a NaN wins over all.
template <int N>
struct Largest {
  Floats<N> value;
  Pack<std::uint8_t, N> index;

  __device__ void take(const Floats<N>& values, int k) {
#pragma unroll
    for (int i = 0; i < N; ++i) {
      // Written so that a NaN replaces a number and is never replaced.
      const bool better = k == 0 || (!(values[i] <= value[i]) && value[i] == value[i]);
      value[i] = better ? values[i] : value[i];
      index.values[i] = better ? static_cast<std::uint8_t>(k) : index.values[i];
    }
  }
};

}  // namespace plume::kernels::cuda
