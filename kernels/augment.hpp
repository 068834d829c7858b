// Augmentation of a training batch, from tiles as a shard stores them: all geometry is one map per image from its pixels
// to places in a tile (images bilinear, labels nearest), all radiometry an affine change per band, noise and a hole in
// the normalised values, in the same pass. With nothing to change it gives the bits of kernels/input.hpp.
//
// Labels and, but for noise, images are the same bits on every device. data/loading/augmentation.hpp draws all this.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/image.hpp"
#include "kernels/input.hpp"
#include "kernels/stream.hpp"

namespace plume::kernels {

// In pixels; a pixel's centre has whole coordinates.
struct PixelPosition {
  float row = 0;
  float column = 0;
  bool operator==(const PixelPosition&) const = default;
};

// What makes one image of the batch.
struct Augmentation {
  int tile = 0;
  // Pixel (y, x) comes from (row, column) = inverse_map (y, x, 1) of the tile. Beyond the tile labels are ignore_label;
  // images go on as in a mirror, once, and then as their edge.
  float inverse_map[2][3] = {{1, 0, 0}, {0, 1, 0}};
  // Of the image; where the batch's are larger, the last row and column are repeated, and labels are ignore_label.
  int height = 0;
  int width = 0;
  // Pixels of the image whose values are set to 0 and whose labels to ignore_label.
  int hole_row = 0;
  int hole_column = 0;
  int hole_height = 0;
  int hole_width = 0;
  std::uint64_t noise_key = 0;
  bool operator==(const Augmentation&) const = default;
};

// value * contrast + brightness + noise * (a standard normal draw), of a normalised value.
struct BandChange {
  float contrast = 1;
  float brightness = 0;
  float noise = 0;
  bool operator==(const BandChange&) const = default;
};

// Displacements that are added to (y, x) before the map: a uniform cubic B-spline of cells x cells patches over the image.
// Source: Rueckert et al., "Nonrigid registration using free-form deformations", IEEE TMI 1999.
struct ElasticField {
  const PixelPosition* nodes = nullptr;  // [images, cells + 3, cells + 3]; null: none
  int cells = 0;
  float cells_per_row = 0;  // cells / (h - 1), and 0 for a single row
  float cells_per_column = 0;
};

// Of an image's field.
[[nodiscard]] constexpr std::size_t node_count(int cells) {
  return static_cast<std::size_t>(cells + 3) * static_cast<std::size_t>(cells + 3);
}

// Over images of h x w.
[[nodiscard]] inline ElasticField elastic_field(const PixelPosition* nodes, int cells, int h, int w) {
  const auto per_pixel = [&](int extent) {
    return extent > 1 ? static_cast<float>(cells) / static_cast<float>(extent - 1) : 0.0F;
  };
  return {nodes, cells, per_pixel(h), per_pixel(w)};
}

// Of a batch, in the stream's memory.
struct BatchAugmentation {
  const Augmentation* images = nullptr;  // [images]
  const BandChange* bands = nullptr;     // [images, bands]
  ElasticField elastic;
};

// out [image] = what the augmentation makes of tiles. Dense tiles of u8, u16 or f32; out may have more channels than they
// have bands: those are set to zero.
template <class T, class Raw>
void augment_images(Image<T> out, Image<const Raw> tiles, const BatchAugmentation& augmentation,
                    const BandScaling& scaling, CpuStream& stream);
template <class T, class Raw>
void augment_images(Image<T> out, Image<const Raw> tiles, const BatchAugmentation& augmentation,
                    const BandScaling& scaling, CudaStream& stream);

// Both dense, of one channel.
void augment_labels(Image<std::uint8_t> out, Image<const std::uint8_t> tiles, const BatchAugmentation& augmentation,
                    CpuStream& stream);
void augment_labels(Image<std::uint8_t> out, Image<const std::uint8_t> tiles, const BatchAugmentation& augmentation,
                    CudaStream& stream);

}  // namespace plume::kernels
