// Raw tiles with labels, and placements in every orientation, for the tests of input on either device.
#pragma once

#include <cstdint>
#include <vector>

#include "array.hpp"
#include "kernels/input.hpp"

namespace plume::tests {

template <class Raw>
struct InputCase {
  int n, rows, columns, bands;
  std::vector<float> mean, std;
  std::vector<Raw> raw;              // [n, rows, columns, bands]
  std::vector<std::uint8_t> labels;  // [n, rows, columns]

  InputCase(int n_, int rows_, int columns_, int bands_) : n(n_), rows(rows_), columns(columns_), bands(bands_) {
    const auto pixels = static_cast<std::size_t>(n * rows * columns);
    const auto channels = static_cast<std::size_t>(bands);
    mean = converted<float>(random_values(channels, 1));
    std = converted<float>(random_values(channels, 2, 0.1F, 3));
    raw = converted<Raw>(random_values(pixels * channels, 3, 0, sizeof(Raw) == 1 ? 256 : 65536));
    labels = random_labels(pixels, 4, 5);
  }

  // Crops of h x w, each image from another tile; with square ones every orientation comes in turn.
  [[nodiscard]] std::vector<kernels::Placement> placements(int h, int w) const {
    std::vector<kernels::Placement> result;
    result.reserve(static_cast<std::size_t>(n));
    for (int i = 0; i < n; ++i) {
      result.push_back({(i * 3 + 1) % n, i % (rows - h + 1), (i * 5) % (columns - w + 1), h, w, h == w && (i & 1) != 0,
                        (i & 2) != 0, (i & 4) != 0});
    }
    return result;
  }

  [[nodiscard]] kernels::Image<const Raw> tiles() const { return {raw.data(), n, rows, columns, bands}; }
  [[nodiscard]] kernels::Image<const std::uint8_t> label_tiles() const { return {labels.data(), n, rows, columns, 1}; }
  [[nodiscard]] kernels::BandScaling scaling() const { return {mean.data(), std.data()}; }
};

}  // namespace plume::tests
