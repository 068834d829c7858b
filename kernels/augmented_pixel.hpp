// One augmented pixel, written once for CPU and CUDA: where it comes from, its label and its values.
#pragma once

#include <cmath>
#include <cstdint>

#include "kernels/augment.hpp"
#include "kernels/base/host_device.hpp"
#include "kernels/base/philox.hpp"
#include "kernels/base/rounded.hpp"
#include "kernels/loss.hpp"

namespace plume::kernels {

// Where a pixel of the batch is.
struct BatchPixel {
  int image;
  int row;
  int column;
};

// The pixel of the image proper that a pixel repeats where it lies beyond, else itself.
[[nodiscard]] PLUME_HD inline BatchPixel repeated_pixel(const Augmentation& of, const BatchPixel& pixel) {
  return {pixel.image, pixel.row < of.height ? pixel.row : of.height - 1,
          pixel.column < of.width ? pixel.column : of.width - 1};
}

// The four weights of a uniform cubic B-spline at t in [0, 1] of its patch.
struct SplineWeights {
  float at[4]{};

  PLUME_HD explicit SplineWeights(float t) {
    const float s = 1.0F - t;
    const float t2 = rounded_product(t, t);
    const float t3 = rounded_product(t2, t);
    constexpr float sixth = 1.0F / 6.0F;
    at[0] = rounded_product(sixth, rounded_product(s, rounded_product(s, s)));
    at[1] = rounded_product(sixth, rounded_product(3.0F, t3) - rounded_product(6.0F, t2) + 4.0F);
    at[3] = rounded_product(sixth, t3);
    at[2] = 1.0F - at[0] - at[1] - at[3];
  }
};

// The displacement at a pixel.
[[nodiscard]] PLUME_HD inline PixelPosition displacement(const ElasticField& field, const BatchPixel& pixel) {
  const float down = rounded_product(static_cast<float>(pixel.row), field.cells_per_row);
  const float right = rounded_product(static_cast<float>(pixel.column), field.cells_per_column);
  const int last = field.cells - 1;  // the image's last pixel is in the last patch, not behind it
  const int patch_row = static_cast<int>(down) < last ? static_cast<int>(down) : last;
  const int patch_column = static_cast<int>(right) < last ? static_cast<int>(right) : last;
  const SplineWeights row_weights(down - static_cast<float>(patch_row));
  const SplineWeights column_weights(right - static_cast<float>(patch_column));
  const int edge = field.cells + 3;
  const PixelPosition* nodes = field.nodes + std::ptrdiff_t{pixel.image * edge + patch_row} * edge + patch_column;
  PixelPosition sum;
  for (int i = 0; i < 4; ++i) {
    for (int j = 0; j < 4; ++j) {
      const float weight = rounded_product(row_weights.at[i], column_weights.at[j]);
      sum.row += rounded_product(weight, nodes[i * edge + j].row);
      sum.column += rounded_product(weight, nodes[i * edge + j].column);
    }
  }
  return sum;
}

// The place in the tile that comes to a pixel.
[[nodiscard]] PLUME_HD inline PixelPosition source_position(const BatchAugmentation& augmentation,
                                                            const BatchPixel& pixel) {
  PixelPosition at{static_cast<float>(pixel.row), static_cast<float>(pixel.column)};
  if (augmentation.elastic.nodes != nullptr) {
    const PixelPosition by = displacement(augmentation.elastic, pixel);
    at = {at.row + by.row, at.column + by.column};
  }
  const auto& map = augmentation.images[pixel.image].inverse_map;
  return {rounded_product(map[0][0], at.row) + rounded_product(map[0][1], at.column) + map[0][2],
          rounded_product(map[1][0], at.row) + rounded_product(map[1][1], at.column) + map[1][2]};
}

[[nodiscard]] PLUME_HD inline bool in_hole(const Augmentation& of, const BatchPixel& pixel) {
  return pixel.row >= of.hole_row && pixel.row < of.hole_row + of.hole_height && pixel.column >= of.hole_column &&
         pixel.column < of.hole_column + of.hole_width;
}

[[nodiscard]] PLUME_HD inline std::uint8_t augmented_label(const Image<const std::uint8_t>& tiles,
                                                           const BatchAugmentation& augmentation,
                                                           const BatchPixel& pixel) {
  using std::floor;
  const Augmentation& image = augmentation.images[pixel.image];
  const PixelPosition from = source_position(augmentation, pixel);
  const auto row = static_cast<int>(floor(from.row + 0.5F));
  const auto column = static_cast<int>(floor(from.column + 0.5F));
  const bool covered = pixel.row < image.height && pixel.column < image.width;
  const bool seen = covered && row >= 0 && row < tiles.h && column >= 0 && column < tiles.w && !in_hole(image, pixel);
  return seen ? *tiles.at(image.tile, row, column) : ignore_label;
}

// Four standard normal draws from one Philox block. Source: Box and Muller, 1958.
struct NormalDraws {
  float at[4]{};

  NormalDraws() = default;
  PLUME_HD explicit NormalDraws(const PhiloxBlock& bits) {
    using std::cos;
    using std::log;
    using std::sin;
    using std::sqrt;
    constexpr float turn = 6.28318530718F;
    for (unsigned i = 0; i < 4; i += 2) {
      const float above_zero = static_cast<float>((bits[i] >> 8U) + 1) * 0x1p-24F;
      const float radius = sqrt(-2.0F * log(above_zero));
      const float angle = turn * (static_cast<float>(bits[i + 1] >> 8U) * 0x1p-24F);
      at[i] = radius * cos(angle);
      at[i + 1] = radius * sin(angle);
    }
  }
};

// The values of a pixel.
template <class Raw>
class AugmentedPixel {
 public:
  PLUME_HD AugmentedPixel(const Image<const Raw>& tiles, const BatchAugmentation& augmentation,
                          const BandScaling& scaling, const BatchPixel& at)
      : scaling_(scaling),
        image_(augmentation.images[at.image]),
        changes_(augmentation.bands + std::ptrdiff_t{at.image} * tiles.c) {
    const BatchPixel pixel = repeated_pixel(image_, at);
    number_ = static_cast<std::uint32_t>(pixel.row * image_.width + pixel.column);
    hidden_ = in_hole(image_, pixel);
    const PixelPosition from = source_position(augmentation, pixel);
    const Neighbours rows(from.row, tiles.h);
    const Neighbours columns(from.column, tiles.w);
    down_ = rows.share;
    right_ = columns.share;
    corners_[0] = tiles.at(image_.tile, rows.first, columns.first);
    corners_[1] = tiles.at(image_.tile, rows.first, columns.second);
    corners_[2] = tiles.at(image_.tile, rows.second, columns.first);
    corners_[3] = tiles.at(image_.tile, rows.second, columns.second);
  }

  // As the network is to read it. Cheapest in the order of bands, which share draws of noise in fours.
  [[nodiscard]] PLUME_HD float value(int band) {
    if (hidden_) return 0;
    const float raw =
        mix(mix(corner(0, band), corner(1, band), right_), mix(corner(2, band), corner(3, band), right_), down_);
    const BandChange& change = changes_[band];
    const float value = rounded_product(change.contrast, scaling_.normalized(raw, band)) + change.brightness;
    return change.noise > 0 ? value + rounded_product(change.noise, normal(band)) : value;
  }

 private:
  // The two pixels between which a coordinate lies, and how far it is from the first.
  struct Neighbours {
    int first;
    int second;
    float share;

    PLUME_HD Neighbours(float position, int count) {
      const auto last = static_cast<float>(count - 1);
      position = position < 0 ? -position : position > last ? 2 * last - position : position;
      position = position < 0 ? 0 : position > last ? last : position;
      first = static_cast<int>(position);
      second = first + 1 < count ? first + 1 : first;
      share = position - static_cast<float>(first);
    }
  };

  static constexpr std::uint32_t noise_purpose = 0x6E6F6973;

  [[nodiscard]] PLUME_HD float corner(int which, int band) const { return static_cast<float>(corners_[which][band]); }
  [[nodiscard]] static PLUME_HD float mix(float a, float b, float share) {
    return a + rounded_product(share, rounded_difference(b, a));
  }
  [[nodiscard]] PLUME_HD float normal(int band) {
    if (band / 4 != drawn_) {
      drawn_ = band / 4;
      draws_ = NormalDraws(philox(image_.noise_key, {number_, static_cast<std::uint32_t>(drawn_), 0, noise_purpose}));
    }
    return draws_.at[band % 4];
  }

  const BandScaling& scaling_;
  const Augmentation& image_;
  const BandChange* changes_;
  const Raw* corners_[4];
  float down_;
  float right_;
  std::uint32_t number_;  // of the pixel in its image
  bool hidden_;
  int drawn_ = -1;  // the four bands that draws_ are for
  NormalDraws draws_;
};

}  // namespace plume::kernels
