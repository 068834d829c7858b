// Augmented batches on the CPU.
#include "kernels/augment.hpp"

#include "kernels/augmented_pixel.hpp"
#include "kernels/cpu/parallel.hpp"

namespace plume::kernels {
namespace {

// body(pixel) for every pixel of n images of h x w.
template <class Body>
void for_batch(int n, int h, int w, CpuStream& stream, const Body& body) {
  parallel_tasks(stream, std::ptrdiff_t{n} * h, [&](std::ptrdiff_t task, int) {
    BatchPixel pixel{static_cast<int>(task / h), static_cast<int>(task % h), 0};
    for (; pixel.column < w; ++pixel.column) body(pixel);
  });
}

}  // namespace

template <class T, class Raw>
void augment_images(Image<T> out, Image<const Raw> tiles, const BatchAugmentation& augmentation,
                    const BandScaling& scaling, CpuStream& stream) {
  for_batch(out.n, out.h, out.w, stream, [&](const BatchPixel& at) {
    AugmentedPixel<Raw> pixel(tiles, augmentation, scaling, at);
    T* to = out.at(at.image, at.row, at.column);
    for (int b = 0; b < tiles.c; ++b) to[b] = static_cast<T>(pixel.value(b));
    for (int c = tiles.c; c < out.c; ++c) to[c] = static_cast<T>(0.0F);
  });
}

void augment_labels(Image<std::uint8_t> out, Image<const std::uint8_t> tiles, const BatchAugmentation& augmentation,
                    CpuStream& stream) {
  for_batch(out.n, out.h, out.w, stream, [&](const BatchPixel& at) {
    *out.at(at.image, at.row, at.column) = augmented_label(tiles, augmentation, at);
  });
}

template void augment_images(Image<float>, Image<const std::uint8_t>, const BatchAugmentation&, const BandScaling&,
                             CpuStream&);
template void augment_images(Image<float>, Image<const std::uint16_t>, const BatchAugmentation&, const BandScaling&,
                             CpuStream&);
template void augment_images(Image<float>, Image<const float>, const BatchAugmentation&, const BandScaling&,
                             CpuStream&);

}  // namespace plume::kernels
