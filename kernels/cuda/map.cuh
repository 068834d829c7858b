// One kernel for all elementwise operations, over packs of channels.
#pragma once

#include <type_traits>

#include "device_language.hpp"
#include "kernels/cuda/pack.cuh"
#include "kernels/cuda/pixel_count.hpp"
#include "kernels/cuda/pixel_grid.cuh"
#include "kernels/image.hpp"

namespace plume::kernels::cuda {

template <class Body>
inline constexpr bool is_binary = std::is_invocable_v<Body, float, float>;

// out (+)= body(a) or body(a, b) for every value; `b` is not read by a body of one argument. out may be a or b.
template <int N, class T, class Body>
__global__ void __launch_bounds__(block_threads)
    map_kernel(Image<T> out, bool add, Body body, Image<const T> a, Image<const T> b) {
  const int channel = first_channel<N>();
  if (!in_bounds(channel < out.c)) return;
  for_pixels(static_cast<unsigned>(out.pixels()), [&](unsigned pixel) {
    Floats<N> result = load<N>(a.data + pixel * a.stride + channel);
    if constexpr (is_binary<Body>) {
      const Floats<N> second = load<N>(b.data + pixel * b.stride + channel);
#pragma unroll
      for (int i = 0; i < N; ++i) result[i] = body(result[i], second[i]);
    } else {
#pragma unroll
      for (int i = 0; i < N; ++i) result[i] = body(result[i]);
    }
    store(out.data + pixel * out.stride + channel, result, add);
  });
}

// A dense image as one whose pixels are single packs, so that any number of channels is moved 16 bytes at a time.
template <class T>
Image<T> in_packs(const Image<T>& image) {
  return {image.data, 1, 1, pixel_count(image.pixels() * image.c / pack_size<T>), pack_size<T>};
}

template <int N, class T, class Body>
void launch_map(Image<T> out, bool add, Image<const T> a, Image<const T> b, CudaStream& stream) {
  if (out.pixels() == 0) return;
  launch<map_kernel<N, T, Body>>(pixel_grid(out.pixels(), out.c / N, stream), stream, out, add, Body{}, a, b);
}

template <class Body, class T>
void map(Image<T> out, bool add, Image<const T> a, Image<const T> b, CudaStream& stream) {
  constexpr int N = pack_size<T>;
  const bool dense = out.stride == out.c && a.stride == a.c && b.stride == b.c;
  if (dense && out.pixels() * out.c % N == 0) {
    out = in_packs(out);
    a = in_packs(a);
    b = in_packs(b);
  }
  if (packs(out) && packs(a) && packs(b)) {
    launch_map<N, T, Body>(out, add, a, b, stream);
  } else {
    launch_map<1, T, Body>(out, add, a, b, stream);
  }
}

}  // namespace plume::kernels::cuda
