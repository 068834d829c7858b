// Batches from raw tiles on the CPU.
#include "kernels/input.hpp"

#include "kernels/cpu/parallel.hpp"
#include "kernels/loss.hpp"

namespace plume::kernels {
namespace {

// body(to, from, covered) for every pixel of `out` and the tile's that comes there, and whether the crop has it.
template <class T, class Raw, class Body>
void for_placed(Image<T> out, Image<const Raw> tiles, const Placement* placements, CpuStream& stream,
                const Body& body) {
  parallel_tasks(stream, std::ptrdiff_t{out.n} * out.h, [&](std::ptrdiff_t task, int) {
    const auto n = static_cast<int>(task / out.h);
    const auto y = static_cast<int>(task % out.h);
    for (int x = 0; x < out.w; ++x) {
      const PixelPlace place = placements[n].source(y, x);
      body(out.at(n, y, x), tiles.at(placements[n].tile, place.row, place.column), placements[n].covers(y, x));
    }
  });
}

}  // namespace

template <class T, class Raw>
void prepare_images(Image<T> out, Image<const Raw> tiles, const Placement* placements, const BandScaling& scaling,
                    CpuStream& stream) {
  for_placed(out, tiles, placements, stream, [&](T* to, const Raw* from, bool) {
    for (int b = 0; b < tiles.c; ++b) to[b] = static_cast<T>(scaling.normalized(static_cast<float>(from[b]), b));
    for (int c = tiles.c; c < out.c; ++c) to[c] = static_cast<T>(0.0F);
  });
}

void prepare_labels(Image<std::uint8_t> out, Image<const std::uint8_t> tiles, const Placement* placements,
                    CpuStream& stream) {
  for_placed(out, tiles, placements, stream,
             [](std::uint8_t* to, const std::uint8_t* from, bool covered) { *to = covered ? *from : ignore_label; });
}

void subsample_labels(Image<std::uint8_t> out, Image<const std::uint8_t> labels, CpuStream& stream) {
  const int factor = labels.h / out.h;
  parallel_tasks(stream, std::ptrdiff_t{out.n} * out.h, [&](std::ptrdiff_t task, int) {
    const auto n = static_cast<int>(task / out.h);
    const auto y = static_cast<int>(task % out.h);
    for (int x = 0; x < out.w; ++x) {
      *out.at(n, y, x) = *labels.at(n, y * factor + factor / 2, x * factor + factor / 2);
    }
  });
}

template void prepare_images(Image<float>, Image<const std::uint8_t>, const Placement*, const BandScaling&, CpuStream&);
template void prepare_images(Image<float>, Image<const std::uint16_t>, const Placement*, const BandScaling&,
                             CpuStream&);
template void prepare_images(Image<float>, Image<const float>, const Placement*, const BandScaling&, CpuStream&);

}  // namespace plume::kernels
