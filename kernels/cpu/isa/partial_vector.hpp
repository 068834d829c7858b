// Vectors of which some channels exist, as at the end of a pixel.
#pragma once

#include <cstring>
#include <type_traits>

#include "kernels/cpu/copy_channels.hpp"
#include "kernels/cpu/isa/vector.hpp"

namespace plume::kernels::isa {

// The vector's `channels` first values; `known` of them, where it is not zero.
template <class Isa, class T, int known>
[[gnu::always_inline]] inline typename Vector<Isa, T>::type load_channels(const T* from, int channels) {
  using V = Vector<Isa, T>;
  if constexpr (known == V::lanes) return V::load(from);
  T padded[V::lanes] = {};
  if constexpr (known > 0) {
    std::memcpy(padded, from, known * sizeof(T));
  } else {
    copy_channels<V::lanes / 2>(padded, from, channels);
  }
  return V::load(padded);
}

template <class Isa, class T, int known>
[[gnu::always_inline]] inline void store_channels(T* to, typename Vector<Isa, T>::type value, int channels) {
  using V = Vector<Isa, T>;
  if constexpr (known == V::lanes) return V::store(to, value);
  T padded[V::lanes];
  V::store(padded, value);
  if constexpr (known > 0) {
    std::memcpy(to, padded, known * sizeof(T));
  } else {
    copy_channels<V::lanes / 2>(to, padded, channels);
  }
}

// body(how many channels are known to exist: all, half or, as zero, some of a vector's lanes)
template <class Isa, class T, class Body>
[[gnu::always_inline]] inline void with_known_channels(int channels, const Body& body) {
  constexpr int lanes = Vector<Isa, T>::lanes;
  if (channels == lanes) return body(std::integral_constant<int, lanes>{});
  if (2 * channels == lanes) return body(std::integral_constant<int, lanes / 2>{});
  body(std::integral_constant<int, 0>{});
}

}  // namespace plume::kernels::isa
