// Copies of a few channels without a call: neighbouring pixels' channels are what panels and tiles are made of.
#pragma once

#include <cstddef>
#include <cstring>

namespace plume::kernels {

// count < 2 * width elements, as pieces whose sizes the compiler knows.
template <int width, class T>
[[gnu::always_inline]] inline void copy_channels(T* to, const T* from, int count) {
  if (count & width) {
    std::memcpy(to, from, width * sizeof(T));
    to += width;
    from += width;
  }
  if constexpr (width > 1) copy_channels<width / 2>(to, from, count);
}

}  // namespace plume::kernels
