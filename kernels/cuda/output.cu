// Probabilities and masks on CUDA: packs of pixels where there is one channel and memory is dense, else a pixel at a time.
#include "device_language.hpp"
#include "kernels/cuda/aligned.hpp"
#include "kernels/cuda/flat.cuh"
#include "kernels/cuda/pack.cuh"
#include "kernels/cuda/pixel_grid.cuh"
#include "kernels/decide_pixel.hpp"
#include "kernels/output.hpp"

namespace plume::kernels {
namespace cuda {
namespace {

// Dense pixels of one channel, N of them from `first`.
template <int N, class T>
__device__ void decide_run(float* probability, std::uint8_t* mask, const T* logits, float threshold,
                           std::ptrdiff_t first) {
  const Floats<N> z = load<N>(logits + first);
  Floats<N> p;
  Floats<N> decision;
#pragma unroll
  for (int i = 0; i < N; ++i) {
    p[i] = SigmoidBody{}(z[i]);
    decision[i] = p[i] > threshold ? 1.0F : 0.0F;
  }
  if (probability) store(probability + first, p);
  if (mask) store(mask + first, decision);
}

template <class T>
__global__ void __launch_bounds__(flat_threads)
    decide_runs_kernel(float* probability, std::uint8_t* mask, const T* logits, float threshold,
                       std::ptrdiff_t pixels) {
  constexpr int N = pack_size<T>;
  for_flat<N>(
      pixels, [&](std::ptrdiff_t first) { decide_run<N>(probability, mask, logits, threshold, first); },
      [&](std::ptrdiff_t pixel) { decide_run<1>(probability, mask, logits, threshold, pixel); });
}

template <class T>
__global__ void __launch_bounds__(block_threads)
    decide_pixels_kernel(Image<float> probability, std::uint8_t* mask, Image<const T> logits, Link link,
                         float threshold) {
  for_pixels(static_cast<unsigned>(logits.pixels()), [&](unsigned pixel) {
    float* to = probability.data ? probability.data + pixel * probability.stride : nullptr;
    const std::uint8_t decision = decide_pixel(to, logits.data + pixel * logits.stride, logits.c, link, threshold);
    if (mask) mask[pixel] = decision;
  });
}

}  // namespace
}  // namespace cuda

template <class T>
void decide(Image<float> probability, std::uint8_t* mask, Image<const T> logits, Link link, float threshold,
            CudaStream& stream) {
  constexpr int N = cuda::pack_size<T>;
  if (logits.pixels() == 0) return;
  const bool dense = link == Link::sigmoid && logits.c == 1 && logits.stride == 1 &&
                     (!probability.data || probability.stride == 1) && cuda::aligned_to(logits.data, N) &&
                     cuda::aligned_to(probability.data, N) && cuda::aligned_to(mask, N);
  if (dense) {
    cuda::launch<cuda::decide_runs_kernel<T>>(cuda::flat_grid(logits.pixels(), N, stream), stream, probability.data,
                                              mask, logits.data, threshold, logits.pixels());
  } else {
    cuda::launch<cuda::decide_pixels_kernel<T>>(cuda::pixel_grid(logits.pixels(), 1, stream), stream, probability, mask,
                                                logits, link, threshold);
  }
}

template void decide(Image<float>, std::uint8_t*, Image<const float>, Link, float, CudaStream&);
template void decide(Image<float>, std::uint8_t*, Image<const bf16>, Link, float, CudaStream&);

}  // namespace plume::kernels
