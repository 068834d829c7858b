// Bias gradients: sums of channels over pixels, in parts whose number depends on the shape alone.
#include <algorithm>
#include <bit>

#include "kernels/cuda/convolution/add_parts.cuh"
#include "kernels/cuda/convolution/own.hpp"
#include "kernels/cuda/pack.cuh"
#include "kernels/cuda/pixel_count.hpp"

namespace plume::kernels::cuda {
namespace {

constexpr int threads = 256;
constexpr int most_lanes = 32;

// Channels stay where they are.
struct SamePlace {
  __device__ std::ptrdiff_t operator()(int element) const { return element; }
};

}  // namespace

// partials[part][channel]: blockIdx.x is the part, blockIdx.y picks `lanes` packs of N channels. Threads are rows of
// pixels by lanes.
template <class T, int N>
__global__ void __launch_bounds__(threads)
    channel_sums_kernel(float* partials, Image<const T> image, int pixels, int part_pixels, int lanes) {
  PLUME_SHARED(float, sums, threads* N);
  const int lane = static_cast<int>(threadIdx.x) % lanes;
  const int row = static_cast<int>(threadIdx.x) / lanes;
  const int rows = threads / lanes;
  const int channel = (static_cast<int>(blockIdx.y) * lanes + lane) * N;
  const int first = static_cast<int>(blockIdx.x) * part_pixels;
  const int last = min(first + part_pixels, pixels);
  if (last - first < part_pixels) PLUME_COVER(ragged);
  Floats<N> sum = {};
  if (channel < image.c) {
    for (int pixel = first + row; pixel < last; pixel += rows) {
      if (pixel >= first + rows) PLUME_COVER(wrapped);
      const Floats<N> values = load<N>(image.data + pixel * image.stride + channel);
#pragma unroll
      for (int i = 0; i < N; ++i) sum[i] += values[i];
    }
  }
#pragma unroll
  for (int i = 0; i < N; ++i) sums[(row * lanes + lane) * N + i] = sum[i];
  __syncthreads();
  const int of_block = static_cast<int>(threadIdx.x);
  const int total_channel = static_cast<int>(blockIdx.y) * lanes * N + of_block;
  if (of_block >= lanes * N || total_channel >= image.c) return;
  float total = 0;
  for (int r = 0; r < rows; ++r) total += sums[r * lanes * N + of_block];
  partials[static_cast<std::ptrdiff_t>(blockIdx.x) * image.c + total_channel] = total;
}

namespace {

template <class T, int N>
void sum_channels(float* result, const Image<const T>& image, bool add, CudaStream& stream) {
  const int groups = (image.c + N - 1) / N;
  const int lanes = std::min(most_lanes, static_cast<int>(std::bit_ceil(static_cast<unsigned>(groups))));
  const int pixels = pixel_count(image.pixels());
  const int rows = threads / lanes;
  const int part_pixels = std::max(rows * 8, (pixels + 511) / 512);
  const int parts = std::max(1, (pixels + part_pixels - 1) / part_pixels);
  auto* partials = stream.state()
                       .scratch(CudaStream::State::partials)
                       .template take<float>(static_cast<std::size_t>(parts) * static_cast<std::size_t>(image.c));
  const dim3 grid(static_cast<unsigned>(parts), static_cast<unsigned>((groups + lanes - 1) / lanes));
  launch<channel_sums_kernel<T, N>>({grid, dim3(threads)}, stream, partials, image, pixels, part_pixels, lanes);
  add_parts(result, partials, parts, image.c, SamePlace{}, add, stream);
}

}  // namespace

namespace own {

template <class T>
void bias_backward(Wide<T>* grad_bias, Image<const T> grad_out, bool add, CudaStream& stream) {
  if (grad_out.c == 0) return;
  if (packs(grad_out)) {
    sum_channels<T, pack_size<T>>(grad_bias, grad_out, add, stream);
  } else {
    sum_channels<T, 1>(grad_bias, grad_out, add, stream);
  }
}

template void bias_backward<float>(float*, Image<const float>, bool, CudaStream&);
template void bias_backward<bf16>(float*, Image<const bf16>, bool, CudaStream&);

}  // namespace own
}  // namespace plume::kernels::cuda
