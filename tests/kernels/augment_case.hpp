// Batches to augment, what is drawn for them, and their definition in f64, for the tests of either device.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <vector>

#include "input_case.hpp"
#include "kernels/augment.hpp"
#include "kernels/loss.hpp"

namespace plume::tests {

// Raw tiles and an augmentation of h x w images from them, one image a tile.
template <class Raw>
struct AugmentCase {
  InputCase<Raw> in;
  int h, w;
  std::vector<kernels::Augmentation> images;
  std::vector<kernels::BandChange> bands;
  std::vector<kernels::PixelPosition> nodes;
  int cells = 0;

  // Nothing is changed yet: each image is the corner of its tile.
  AugmentCase(int n, int rows, int columns, int bands_, int h_, int w_)
      : in(n, rows, columns, bands_),
        h(h_),
        w(w_),
        images(static_cast<std::size_t>(n)),
        bands(static_cast<std::size_t>(n * bands_)) {
    for (int i = 0; i < n; ++i) {
      auto& image = images[static_cast<std::size_t>(i)];
      image.tile = (i * 3 + 1) % n;
      image.height = h;
      image.width = w;
    }
  }

  // Each image by a map of its own: turned, sheared, scaled and moved, partly beyond its tile.
  AugmentCase& move(std::uint64_t seed = 5) {
    const auto draws = random_values(images.size() * 6, seed);
    for (std::size_t i = 0; i < images.size(); ++i) {
      const double* draw = draws.data() + 6 * i;
      const double scale = 1 + 0.4 * draw[0];
      const double cosine = std::cos(draw[1] * std::numbers::pi) * scale;
      const double sine = std::sin(draw[1] * std::numbers::pi) * scale;
      const double linear[2][2] = {{cosine, -sine}, {sine + 0.3 * draw[2], cosine}};
      const double middle[2] = {0.5 * in.rows + draw[3] * h, 0.5 * in.columns + draw[4] * w};
      for (int k = 0; k < 2; ++k) {
        auto& row = images[i].inverse_map[k];
        row[0] = static_cast<float>(linear[k][0]);
        row[1] = static_cast<float>(linear[k][1]);
        row[2] = static_cast<float>(middle[k] - 0.5 * (linear[k][0] * h + linear[k][1] * w));
      }
    }
    return *this;
  }
  AugmentCase& bend(int cells_, double pixels = 2) {
    cells = cells_;
    const auto draws = random_values(images.size() * kernels::node_count(cells) * 2, 6, -pixels, pixels);
    for (std::size_t i = 0; i < draws.size(); i += 2)
      nodes.push_back({static_cast<float>(draws[i]), static_cast<float>(draws[i + 1])});
    return *this;
  }
  AugmentCase& recolour() {
    const auto draws = random_values(bands.size() * 2, 7, -0.5, 0.5);
    for (std::size_t i = 0; i < bands.size(); ++i)
      bands[i] = {static_cast<float>(1 + draws[2 * i]), static_cast<float>(draws[2 * i + 1]), 0};
    bands.front() = {0, 0, 0};
    return *this;
  }
  AugmentCase& add_noise() {
    for (std::size_t i = 0; i < images.size(); ++i) images[i].noise_key = 0x123456789ABCULL * (i + 1);
    for (std::size_t i = 0; i < bands.size(); ++i) bands[i].noise = 0.25F * static_cast<float>(i % 3);
    return *this;
  }
  AugmentCase& hide() {
    for (std::size_t i = 0; i < images.size(); ++i) {
      const int at = static_cast<int>(i);
      images[i].hole_row = at % h;
      images[i].hole_column = at * 2 % w;
      images[i].hole_height = std::min(at, h - at % h);
      images[i].hole_width = std::min(3, w - at * 2 % w);
    }
    return *this;
  }

  [[nodiscard]] kernels::BatchAugmentation augmentation() const {
    kernels::BatchAugmentation result{images.data(), bands.data(), {}};
    if (cells > 0) result.elastic = kernels::elastic_field(nodes.data(), cells, h, w);
    return result;
  }

  // Where pixel (y, x) of an image comes from, by the definition, in f64.
  [[nodiscard]] std::array<double, 2> source(int image, int y, int x) const {
    double at[2] = {static_cast<double>(y), static_cast<double>(x)};
    if (cells > 0) {
      const double u = h > 1 ? static_cast<double>(y) * cells / (h - 1) : 0;
      const double v = w > 1 ? static_cast<double>(x) * cells / (w - 1) : 0;
      const int edge = cells + 3;
      // Node i lies at i - 1 and carries a bump of the cubic B-spline.
      for (int i = 0; i < edge; ++i) {
        for (int j = 0; j < edge; ++j) {
          const double weight = bump(u - (i - 1)) * bump(v - (j - 1));
          const auto& node = nodes[static_cast<std::size_t>((image * edge + i) * edge + j)];
          at[0] += weight * static_cast<double>(node.row);
          at[1] += weight * static_cast<double>(node.column);
        }
      }
    }
    const auto& map = images[static_cast<std::size_t>(image)].inverse_map;
    std::array<double, 2> from{};
    for (std::size_t i = 0; i < 2; ++i)
      from[i] = static_cast<double>(map[i][0]) * at[0] + static_cast<double>(map[i][1]) * at[1] +
                static_cast<double>(map[i][2]);
    return from;
  }

  [[nodiscard]] bool hidden(int image, int y, int x) const {
    const auto& of = images[static_cast<std::size_t>(image)];
    return y >= of.hole_row && y < of.hole_row + of.hole_height && x >= of.hole_column &&
           x < of.hole_column + of.hole_width;
  }

  // What an image is to be, without noise: every value of the tile weighs by the product of two tents.
  [[nodiscard]] double value(int image, int y, int x, int band) const {
    if (hidden(image, y, x)) return 0;
    const auto [row, column] = source(image, y, x);
    const double to_row = mirrored(row, in.rows);
    const double to_column = mirrored(column, in.columns);
    double sum = 0;
    for (int r = 0; r < in.rows; ++r) {
      for (int c = 0; c < in.columns; ++c) sum += tent(to_row - r) * tent(to_column - c) * raw(image, r, c, band);
    }
    const auto b = static_cast<std::size_t>(band);
    const auto& change = bands[static_cast<std::size_t>(image * in.bands + band)];
    return (sum - static_cast<double>(in.mean[b])) / static_cast<double>(in.std[b]) *
               static_cast<double>(change.contrast) +
           static_cast<double>(change.brightness);
  }

  [[nodiscard]] std::uint8_t label(int image, int y, int x) const {
    const auto [row, column] = source(image, y, x);
    const double r = std::floor(row + 0.5);
    const double c = std::floor(column + 0.5);
    if (hidden(image, y, x) || r < 0 || c < 0 || r >= in.rows || c >= in.columns) return kernels::ignore_label;
    return in.labels[static_cast<std::size_t>((tile(image) * in.rows + static_cast<int>(r)) * in.columns +
                                              static_cast<int>(c))];
  }

 private:
  [[nodiscard]] int tile(int image) const { return images[static_cast<std::size_t>(image)].tile; }
  [[nodiscard]] double raw(int image, int row, int column, int band) const {
    return static_cast<double>(
        in.raw[static_cast<std::size_t>(((tile(image) * in.rows + row) * in.columns + column) * in.bands + band)]);
  }
  static double tent(double x) { return std::max(0.0, 1 - std::abs(x)); }
  static double bump(double x) {
    const double d = std::abs(x);
    if (d >= 2) return 0;
    return d >= 1 ? std::pow(2 - d, 3) / 6 : 2.0 / 3 - d * d + d * d * d / 2;
  }
  // One reflection, and then the edge.
  static double mirrored(double position, int count) {
    const double last = count - 1;
    if (position < 0) return std::min(-position, last);
    return std::clamp(position <= last ? position : last - (position - last), 0.0, last);
  }
};

}  // namespace plume::tests
