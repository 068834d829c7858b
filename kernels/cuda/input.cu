// Batches from raw tiles on CUDA.
#include "device_language.hpp"
#include "kernels/cuda/aligned.hpp"
#include "kernels/cuda/flat.cuh"
#include "kernels/cuda/pack.cuh"
#include "kernels/cuda/pixel_grid.cuh"
#include "kernels/cuda/window.cuh"
#include "kernels/input.hpp"
#include "kernels/loss.hpp"

namespace plume::kernels {
namespace cuda {
namespace {

template <class Raw>
struct Source {
  const Raw* pixel;
  bool covered;  // by the crop, not repeated
};

// What comes to pixel number `pixel` of an n x h x w batch.
template <class Raw>
__device__ Source<Raw> source_of(unsigned pixel, int h, int w, const Image<const Raw>& tiles,
                                 const Placement* placements) {
  const unsigned row = pixel / static_cast<unsigned>(w);
  const auto x = static_cast<int>(pixel % static_cast<unsigned>(w));
  const auto y = static_cast<int>(row % static_cast<unsigned>(h));
  const Placement placement = placements[row / static_cast<unsigned>(h)];
  const PixelPlace place = placement.source(y, x);
  return {tiles.at(placement.tile, place.row, place.column), placement.covers(y, x)};
}

// A thread writes N channels of a pixel, those behind the bands as zeros.
template <int N, class T, class Raw>
__global__ void __launch_bounds__(block_threads)
    images_kernel(Image<T> out, Image<const Raw> tiles, const Placement* placements, BandScaling scaling) {
  const int first = first_channel<N>();
  if (!in_bounds(first < out.c)) return;
  for_pixels(static_cast<unsigned>(out.pixels()), [&](unsigned pixel) {
    const Raw* from = source_of(pixel, out.h, out.w, tiles, placements).pixel;
    Floats<N> values;
#pragma unroll
    for (int i = 0; i < N; ++i) {
      const int band = first + i;
      values[i] = in_bounds(band < tiles.c) ? scaling.normalized(static_cast<float>(from[band]), band) : 0.0F;
    }
    store(out.data + pixel * out.stride + first, values);
  });
}

// A thread writes N labels of a row.
template <int N>
__global__ void __launch_bounds__(block_threads)
    labels_kernel(Image<std::uint8_t> out, Image<const std::uint8_t> tiles, const Placement* placements) {
  for_pixels(static_cast<unsigned>(out.pixels() / N), [&](unsigned run) {
    Floats<N> values;
#pragma unroll
    for (int i = 0; i < N; ++i) {
      const auto source = source_of(run * N + static_cast<unsigned>(i), out.h, out.w, tiles, placements);
      values[i] = source.covered ? *source.pixel : ignore_label;
    }
    store(out.data + std::ptrdiff_t{N} * run, values);
  });
}

__global__ void __launch_bounds__(block_threads)
    subsample_kernel(Image<std::uint8_t> out, Image<const std::uint8_t> labels) {
  const int factor = labels.h / out.h;
  for_pixels(static_cast<unsigned>(out.pixels()), [&](unsigned pixel) {
    const Place place = place_of(pixel, out.h, out.w);
    out.data[pixel] = *labels.at(place.image, place.row * factor + factor / 2, place.column * factor + factor / 2);
  });
}

template <int N, class T, class Raw>
void launch_images(Image<T> out, Image<const Raw> tiles, const Placement* placements, const BandScaling& scaling,
                   CudaStream& stream) {
  launch<images_kernel<N, T, Raw>>(pixel_grid(out.pixels(), ceil_div(out.c, N), stream), stream, out, tiles, placements,
                                   scaling);
}

}  // namespace
}  // namespace cuda

template <class T, class Raw>
void prepare_images(Image<T> out, Image<const Raw> tiles, const Placement* placements, const BandScaling& scaling,
                    CudaStream& stream) {
  if (out.pixels() == 0) return;
  if (cuda::packs(out)) {
    cuda::launch_images<cuda::pack_size<T>>(out, tiles, placements, scaling, stream);
  } else {
    cuda::launch_images<1>(out, tiles, placements, scaling, stream);
  }
}

void prepare_labels(Image<std::uint8_t> out, Image<const std::uint8_t> tiles, const Placement* placements,
                    CudaStream& stream) {
  constexpr int N = cuda::pack_size<std::uint8_t>;
  if (out.pixels() == 0) return;
  if (out.pixels() % N == 0 && cuda::aligned_to(out.data, N)) {
    cuda::launch<cuda::labels_kernel<N>>(cuda::pixel_grid(out.pixels() / N, 1, stream), stream, out, tiles, placements);
  } else {
    cuda::launch<cuda::labels_kernel<1>>(cuda::pixel_grid(out.pixels(), 1, stream), stream, out, tiles, placements);
  }
}

void subsample_labels(Image<std::uint8_t> out, Image<const std::uint8_t> labels, CudaStream& stream) {
  if (out.pixels() == 0) return;
  cuda::launch<cuda::subsample_kernel>(cuda::pixel_grid(out.pixels(), 1, stream), stream, out, labels);
}

template void prepare_images(Image<float>, Image<const std::uint8_t>, const Placement*, const BandScaling&,
                             CudaStream&);
template void prepare_images(Image<float>, Image<const std::uint16_t>, const Placement*, const BandScaling&,
                             CudaStream&);
template void prepare_images(Image<float>, Image<const float>, const Placement*, const BandScaling&, CudaStream&);
template void prepare_images(Image<bf16>, Image<const std::uint8_t>, const Placement*, const BandScaling&, CudaStream&);
template void prepare_images(Image<bf16>, Image<const std::uint16_t>, const Placement*, const BandScaling&,
                             CudaStream&);
template void prepare_images(Image<bf16>, Image<const float>, const Placement*, const BandScaling&, CudaStream&);

}  // namespace plume::kernels
