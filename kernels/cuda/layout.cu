// Copies between layouts: transposes of weights, padded channels, and the pixel shuffle of a transposed convolution.
#include "device_language.hpp"
#include "kernels/cuda/layout.hpp"
#include "kernels/cuda/pack.cuh"
#include "kernels/cuda/pixel_grid.cuh"
#include "kernels/functors.hpp"

namespace plume::kernels::cuda {
namespace {

constexpr int tile_side = 32;              // a warp reads and writes whole rows of a tile
constexpr int tile_rows = 8;               // rows that a block moves at once
constexpr int tile_pitch = tile_side + 1;  // columns of a tile then lie in different banks of shared memory

// blockIdx is the tile's column and row in `to`, and the tap.
template <class T, class U>
__global__ void __launch_bounds__(tile_side* tile_rows)
    transpose_kernel(T* to, TapMatrices to_shape, const U* from, TapMatrices from_shape, bool add) {
  PLUME_SHARED(float, tile, tile_side* tile_pitch);
  const int first_column = static_cast<int>(blockIdx.x) * tile_side;
  const int first_row = static_cast<int>(blockIdx.y) * tile_side;
  const int lane = static_cast<int>(threadIdx.x);
  from += blockIdx.z * from_shape.tap_stride;
  to += blockIdx.z * to_shape.tap_stride;

  for (int i = static_cast<int>(threadIdx.y); i < tile_side; i += tile_rows) {
    const int row = first_column + i;
    const int column = first_row + lane;
    const bool inside = in_bounds(row < from_shape.rows) && in_bounds(column < from_shape.columns);
    tile[i * tile_pitch + lane] = inside ? static_cast<float>(from[row * from_shape.row_stride + column]) : 0.0F;
  }
  __syncthreads();
  for (int i = static_cast<int>(threadIdx.y); i < tile_side; i += tile_rows) {
    const int row = first_row + i;
    const int column = first_column + lane;
    if (!in_bounds(row < to_shape.rows) || !in_bounds(column < to_shape.columns)) continue;
    store(to + row * to_shape.row_stride + column, Floats<1>{tile[lane * tile_pitch + i]}, add);
  }
}

template <class T>
__global__ void __launch_bounds__(block_threads) pad_kernel(Image<T> to, Image<const T> from, bool aligned) {
  constexpr int N = pack_size<T>;
  const int channel = first_channel<N>();
  if (!in_bounds(channel < to.c)) return;
  for_pixels(static_cast<unsigned>(to.pixels()), [&](unsigned pixel) {
    const T* source = from.data + pixel * from.stride + channel;
    Floats<N> pack{};
    if (aligned && in_bounds(channel < from.c)) {
      pack = load<N>(source);
    } else {
      for (int i = 0; i < N && in_bounds(channel + i < from.c); ++i) pack[i] = static_cast<float>(source[i]);
    }
    store(to.data + pixel * to.stride + channel, pack);
  });
}

// Where a pixel of the enlarged image stands among the rows' pixels.
template <class T>
__device__ std::ptrdiff_t place_in_rows(const Image<T>& out, unsigned pixel, int factor) {
  const auto width = static_cast<unsigned>(out.w);
  const auto side = static_cast<unsigned>(factor);
  const unsigned column = pixel % width;
  const unsigned row = pixel / width;  // over all images, whose heights are whole blocks
  const unsigned block = row / side * (width / side) + column / side;
  return std::ptrdiff_t{block} * side * side + row % side * side + column % side;
}

template <int N, class T>
__global__ void __launch_bounds__(block_threads)
    shuffle_kernel(Image<T> out, const T* rows, const float* bias, int factor, bool relu) {
  const int channel = first_channel<N>();
  if (!in_bounds(channel < out.c)) return;
  Floats<N> shift{};
  if (bias != nullptr) {
#pragma unroll
    for (int i = 0; i < N; ++i) shift[i] = bias[channel + i];
  }
  for_pixels(static_cast<unsigned>(out.pixels()), [&](unsigned pixel) {
    Floats<N> pack = load<N>(rows + place_in_rows(out, pixel, factor) * out.c + channel);
#pragma unroll
    for (int i = 0; i < N; ++i) {
      pack[i] += shift[i];
      if (relu) pack[i] = ReluBody{}(pack[i]);
    }
    store(out.data + pixel * out.stride + channel, pack);
  });
}

template <int N, class T>
__global__ void __launch_bounds__(block_threads) unshuffle_kernel(T* rows, Image<const T> out, int factor) {
  const int channel = first_channel<N>();
  if (!in_bounds(channel < out.c)) return;
  for_pixels(static_cast<unsigned>(out.pixels()), [&](unsigned pixel) {
    const Floats<N> pack = load<N>(out.data + pixel * out.stride + channel);
    store(rows + place_in_rows(out, pixel, factor) * out.c + channel, pack);
  });
}

}  // namespace

template <class T, class U>
void transpose_taps(T* to, const TapMatrices& to_shape, const U* from, const TapMatrices& from_shape, int taps,
                    bool add, CudaStream& stream) {
  const auto tiles = [](int size) { return static_cast<unsigned>(ceil_div(size, tile_side)); };
  LaunchShape shape;
  shape.grid = dim3(tiles(to_shape.columns), tiles(to_shape.rows), static_cast<unsigned>(taps));
  shape.block = dim3(tile_side, tile_rows);
  launch<transpose_kernel<T, U>>(shape, stream, to, to_shape, from, from_shape, add);
}

template <class T>
void pad_channels(T* to, int channels, Image<const T> from, CudaStream& stream) {
  const Image<T> padded(to, from.n, from.h, from.w, channels);
  launch<pad_kernel<T>>(pixel_grid(padded.pixels(), channels / pack_size<T>, stream), stream, padded, from,
                        packs(from));
}

template <class T>
void shuffle_pixels(Image<T> out, const T* rows, const float* bias, int factor, bool relu, CudaStream& stream) {
  constexpr int N = pack_size<T>;
  if (packs(out)) {
    launch<shuffle_kernel<N, T>>(pixel_grid(out.pixels(), out.c / N, stream), stream, out, rows, bias, factor, relu);
  } else {
    launch<shuffle_kernel<1, T>>(pixel_grid(out.pixels(), out.c, stream), stream, out, rows, bias, factor, relu);
  }
}

template <class T>
void gather_pixels(T* rows, Image<const T> out, int factor, CudaStream& stream) {
  constexpr int N = pack_size<T>;
  if (packs(out)) {
    launch<unshuffle_kernel<N, T>>(pixel_grid(out.pixels(), out.c / N, stream), stream, rows, out, factor);
  } else {
    launch<unshuffle_kernel<1, T>>(pixel_grid(out.pixels(), out.c, stream), stream, rows, out, factor);
  }
}

template void transpose_taps(float*, const TapMatrices&, const float*, const TapMatrices&, int, bool, CudaStream&);
template void transpose_taps(float*, const TapMatrices&, const bf16*, const TapMatrices&, int, bool, CudaStream&);
template void transpose_taps(bf16*, const TapMatrices&, const bf16*, const TapMatrices&, int, bool, CudaStream&);
template void pad_channels(float*, int, Image<const float>, CudaStream&);
template void pad_channels(bf16*, int, Image<const bf16>, CudaStream&);
template void shuffle_pixels(Image<float>, const float*, const float*, int, bool, CudaStream&);
template void shuffle_pixels(Image<bf16>, const bf16*, const float*, int, bool, CudaStream&);
template void gather_pixels(float*, Image<const float>, int, CudaStream&);
template void gather_pixels(bf16*, Image<const bf16>, int, CudaStream&);

}  // namespace plume::kernels::cuda
