// From tiles as a shard stores them to a batch for the network: normalised, cropped and turned; and labels
// the same way. Bit for bit what data::Shard::read makes of the same pixels, on every device.
#pragma once

#include <cstdint>

#include "kernels/base/host_device.hpp"
#include "kernels/base/rounded.hpp"
#include "kernels/image.hpp"
#include "kernels/stream.hpp"

namespace plume::kernels {

struct PixelPlace {
  int row;
  int column;
};

// Where an image of the batch comes from. The crop is taken, transposed (square ones only), then its rows, then its
// columns are mirrored. Where the batch's images are larger, the last row and column are repeated.
struct Placement {
  int tile = 0;
  int row = 0;  // of the crop's first pixel in the tile
  int column = 0;
  int height = 0;  // of the crop
  int width = 0;
  bool transpose = false;
  bool flip_rows = false;
  bool flip_columns = false;

  // Whether a pixel of the image is one of the crop, not a repeated one.
  [[nodiscard]] PLUME_HD bool covers(int to_row, int to_column) const { return to_row < height && to_column < width; }

  // The tile's pixel that comes to (to_row, to_column) of the image.
  [[nodiscard]] PLUME_HD PixelPlace source(int to_row, int to_column) const {
    to_row = to_row < height ? to_row : height - 1;
    to_column = to_column < width ? to_column : width - 1;
    const int down = flip_rows ? height - 1 - to_row : to_row;
    const int right = flip_columns ? width - 1 - to_column : to_column;
    return transpose ? PixelPlace{row + right, column + down} : PixelPlace{row + down, column + right};
  }
};

// value = (raw - mean[band]) / std[band]; mean and std of the raw values, in the stream's memory.
struct BandScaling {
  const float* mean = nullptr;
  const float* std = nullptr;

  [[nodiscard]] PLUME_HD float normalized(float raw, int band) const {
    return rounded_quotient(rounded_difference(raw, mean[band]), std[band]);
  }
};

// out [image] = what placements[image] says of tiles; placements in the stream's memory. Tiles are dense, of u8, u16 or
// f32; out may have more channels than they have bands: those are set to zero.
template <class T, class Raw>
void prepare_images(Image<T> out, Image<const Raw> tiles, const Placement* placements, const BandScaling& scaling,
                    CpuStream& stream);
template <class T, class Raw>
void prepare_images(Image<T> out, Image<const Raw> tiles, const Placement* placements, const BandScaling& scaling,
                    CudaStream& stream);

// Both dense, of one channel. Repeated pixels are labelled ignore_label.
void prepare_labels(Image<std::uint8_t> out, Image<const std::uint8_t> tiles, const Placement* placements,
                    CpuStream& stream);
void prepare_labels(Image<std::uint8_t> out, Image<const std::uint8_t> tiles, const Placement* placements,
                    CudaStream& stream);

// out [y, x] = labels [y * factor + factor / 2, x * factor + factor / 2], for labels that are `factor` times as high
// and wide, a power of two: what a pixel of a coarser grid is compared with. Both dense, of one channel.
void subsample_labels(Image<std::uint8_t> out, Image<const std::uint8_t> labels, CpuStream& stream);
void subsample_labels(Image<std::uint8_t> out, Image<const std::uint8_t> labels, CudaStream& stream);

}  // namespace plume::kernels
