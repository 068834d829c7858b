// The sum of squares of a flat buffer on CUDA, in f64.
#include "device_language.hpp"
#include "kernels/cuda/aligned.hpp"
#include "kernels/cuda/pack.cuh"
#include "kernels/cuda/sums.cuh"
#include "kernels/optimizer.hpp"

namespace plume::kernels {
namespace cuda {
namespace {

inline constexpr int norm_elements = pack_size<float>;

__device__ double square(float value) {
  return static_cast<double>(value) * static_cast<double>(value);
}

template <bool packed>
__global__ void __launch_bounds__(sum_threads) sum_squares(double* sums, const float* values, std::ptrdiff_t count) {
  constexpr int N = norm_elements;
  double sum[1] = {0};
  for_share((count + N - 1) / N, [&](std::ptrdiff_t item) {
    const float* from = values + item * N;
    const std::ptrdiff_t left = count - item * N;
    if (packed && in_bounds(left >= N)) {
      const Floats<N> pack = load<N>(from);
#pragma unroll
      for (int i = 0; i < N; ++i) sum[0] += square(pack[i]);
      return;
    }
    for (int i = 0; i < N && in_bounds(i < left); ++i) sum[0] += square(from[i]);
  });
  block_sums(sum);
  if (threadIdx.x == 0) sums[blockIdx.x] = sum[0];
}

// one block
__global__ void __launch_bounds__(sum_threads) finish_sum(double* result, const double* sums, int blocks) {
  const double total = total_of(sums, blocks);
  if (threadIdx.x == 0) *result = total;
}

}  // namespace
}  // namespace cuda

template <class T>
void squared_norm(double* result, const T* values, std::ptrdiff_t count, CudaStream& stream) {
  const int blocks = cuda::sum_blocks((count + cuda::norm_elements - 1) / cuda::norm_elements);
  auto* sums = stream.state().scratch(CudaStream::State::partials).take<double>(static_cast<std::size_t>(blocks));
  if (cuda::aligned_to(values, cuda::norm_elements)) {
    cuda::launch<cuda::sum_squares<true>>(cuda::sum_shape(blocks), stream, sums, values, count);
  } else {
    cuda::launch<cuda::sum_squares<false>>(cuda::sum_shape(blocks), stream, sums, values, count);
  }
  cuda::launch<cuda::finish_sum>(cuda::sum_shape(1), stream, result, static_cast<const double*>(sums), blocks);
}

template void squared_norm(double*, const float*, std::ptrdiff_t, CudaStream&);

}  // namespace plume::kernels
