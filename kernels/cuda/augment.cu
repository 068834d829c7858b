// Augmented batches on CUDA.
#include "device_language.hpp"
#include "kernels/augmented_pixel.hpp"
#include "kernels/cuda/aligned.hpp"
#include "kernels/cuda/pack.cuh"
#include "kernels/cuda/pixel_grid.cuh"

namespace plume::kernels {
namespace cuda {
namespace {

// Pixel number `number` of images of h x w.
__device__ BatchPixel batch_pixel(unsigned number, int h, int w) {
  const unsigned row = number / static_cast<unsigned>(w);
  return {static_cast<int>(row / static_cast<unsigned>(h)), static_cast<int>(row % static_cast<unsigned>(h)),
          static_cast<int>(number % static_cast<unsigned>(w))};
}

// A thread writes N channels of a pixel, those behind the bands as zeros.
template <int N, class T, class Raw>
__global__ void __launch_bounds__(block_threads)
    augment_images_kernel(Image<T> out, Image<const Raw> tiles, BatchAugmentation augmentation, BandScaling scaling) {
  const int first = first_channel<N>();
  if (!in_bounds(first < out.c)) return;
  for_pixels(static_cast<unsigned>(out.pixels()), [&](unsigned number) {
    AugmentedPixel<Raw> pixel(tiles, augmentation, scaling, batch_pixel(number, out.h, out.w));
    Floats<N> values;
#pragma unroll
    for (int i = 0; i < N; ++i) values[i] = in_bounds(first + i < tiles.c) ? pixel.value(first + i) : 0.0F;
    store(out.data + number * out.stride + first, values);
  });
}

// A thread writes N labels of a row.
template <int N>
__global__ void __launch_bounds__(block_threads)
    augment_labels_kernel(Image<std::uint8_t> out, Image<const std::uint8_t> tiles, BatchAugmentation augmentation) {
  for_pixels(static_cast<unsigned>(out.pixels() / N), [&](unsigned run) {
    Floats<N> values;
#pragma unroll
    for (int i = 0; i < N; ++i)
      values[i] = augmented_label(tiles, augmentation, batch_pixel(run * N + static_cast<unsigned>(i), out.h, out.w));
    store(out.data + std::ptrdiff_t{N} * run, values);
  });
}

template <int N, class T, class Raw>
void launch_images(Image<T> out, Image<const Raw> tiles, const BatchAugmentation& augmentation,
                   const BandScaling& scaling, CudaStream& stream) {
  launch<augment_images_kernel<N, T, Raw>>(pixel_grid(out.pixels(), ceil_div(out.c, N), stream), stream, out, tiles,
                                           augmentation, scaling);
}

template <int N>
void launch_labels(Image<std::uint8_t> out, Image<const std::uint8_t> tiles, const BatchAugmentation& augmentation,
                   CudaStream& stream) {
  launch<augment_labels_kernel<N>>(pixel_grid(out.pixels() / N, 1, stream), stream, out, tiles, augmentation);
}

}  // namespace
}  // namespace cuda

template <class T, class Raw>
void augment_images(Image<T> out, Image<const Raw> tiles, const BatchAugmentation& augmentation,
                    const BandScaling& scaling, CudaStream& stream) {
  if (out.pixels() == 0) return;
  if (cuda::packs(out)) {
    cuda::launch_images<cuda::pack_size<T>>(out, tiles, augmentation, scaling, stream);
  } else {
    cuda::launch_images<1>(out, tiles, augmentation, scaling, stream);
  }
}

void augment_labels(Image<std::uint8_t> out, Image<const std::uint8_t> tiles, const BatchAugmentation& augmentation,
                    CudaStream& stream) {
  constexpr int N = 4;  // each takes a position of its own: more would leave too few threads
  if (out.pixels() == 0) return;
  if (out.pixels() % N == 0 && cuda::aligned_to(out.data, N)) {
    cuda::launch_labels<N>(out, tiles, augmentation, stream);
  } else {
    cuda::launch_labels<1>(out, tiles, augmentation, stream);
  }
}

template void augment_images(Image<float>, Image<const std::uint8_t>, const BatchAugmentation&, const BandScaling&,
                             CudaStream&);
template void augment_images(Image<float>, Image<const std::uint16_t>, const BatchAugmentation&, const BandScaling&,
                             CudaStream&);
template void augment_images(Image<float>, Image<const float>, const BatchAugmentation&, const BandScaling&,
                             CudaStream&);
template void augment_images(Image<bf16>, Image<const std::uint8_t>, const BatchAugmentation&, const BandScaling&,
                             CudaStream&);
template void augment_images(Image<bf16>, Image<const std::uint16_t>, const BatchAugmentation&, const BandScaling&,
                             CudaStream&);
template void augment_images(Image<bf16>, Image<const float>, const BatchAugmentation&, const BandScaling&,
                             CudaStream&);

}  // namespace plume::kernels
