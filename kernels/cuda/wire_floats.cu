// Conversions of flat buffers on CUDA.
#include "device_language.hpp"
#include "kernels/cuda/aligned.hpp"
#include "kernels/cuda/flat.cuh"
#include "kernels/cuda/pack.cuh"
#include "kernels/cuda/wire_floats.hpp"

namespace plume::kernels {
namespace cuda {
namespace {

template <int N, class To, class From>
__global__ void __launch_bounds__(flat_threads) convert_kernel(To* to, const From* from, std::ptrdiff_t count) {
  for_flat<N>(
      count, [&](std::ptrdiff_t first) { store(to + first, load<N>(from + first)); },
      [&](std::ptrdiff_t i) { store(to + i, load<1>(from + i)); });
}

}  // namespace
}  // namespace cuda

template <class To, class From>
void convert(To* to, const From* from, std::ptrdiff_t count, CudaStream& stream) {
  if (count == 0) return;
  constexpr int N = cuda::pack_size<float>;
  if (cuda::aligned_to(to, N) && cuda::aligned_to(from, N)) {
    cuda::launch<cuda::convert_kernel<N, To, From>>(cuda::flat_grid(count, N, stream), stream, to, from, count);
  } else {
    cuda::launch<cuda::convert_kernel<1, To, From>>(cuda::flat_grid(count, 1, stream), stream, to, from, count);
  }
}

template void convert(bf16*, const float*, std::ptrdiff_t, CudaStream&);
template void convert(f16*, const float*, std::ptrdiff_t, CudaStream&);
template void convert(float*, const bf16*, std::ptrdiff_t, CudaStream&);
template void convert(float*, const f16*, std::ptrdiff_t, CudaStream&);

}  // namespace plume::kernels
