// Images of doubles that the reference implementations work on, and the memory that kernels get in their place.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>
#include <vector>

#include "../random_values.hpp"
#include "kernels/image.hpp"

namespace plume::tests {

// Dense NHWC.
struct Array {
  int n = 0;
  int h = 0;
  int w = 0;
  int c = 0;
  std::vector<double> values;

  Array() = default;
  Array(int n_, int h_, int w_, int c_) : n(n_), h(h_), w(w_), c(c_) {
    values.resize(static_cast<std::size_t>(n) * static_cast<std::size_t>(h) * static_cast<std::size_t>(w) *
                  static_cast<std::size_t>(c));
  }
  static Array random(int n, int h, int w, int c, std::uint64_t seed, double low = -1, double high = 1) {
    Array array(n, h, w, c);
    array.values = random_values(array.values.size(), seed, low, high);
    return array;
  }
  [[nodiscard]] Array like() const { return {n, h, w, c}; }
  [[nodiscard]] bool inside(int row, int column) const { return row >= 0 && row < h && column >= 0 && column < w; }
  [[nodiscard]] std::size_t offset(int image, int row, int column, int channel) const {
    return static_cast<std::size_t>(((image * h + row) * w + column) * c + channel);
  }
  double& operator()(int image, int row, int column, int channel) {
    return values[offset(image, row, column, channel)];
  }
  double operator()(int image, int row, int column, int channel) const {
    return values[offset(image, row, column, channel)];
  }
};

// body(image, row, column, channel) for every value.
template <class Body>
void for_each(const Array& array, const Body& body) {
  for (int n = 0; n < array.n; ++n) {
    for (int y = 0; y < array.h; ++y) {
      for (int x = 0; x < array.w; ++x) {
        for (int c = 0; c < array.c; ++c) body(n, y, x, c);
      }
    }
  }
}

// An array in memory as a kernel sees it: elements of T, `gap` elements of other people's between the pixels.
template <class T>
class Pixels {
 public:
  explicit Pixels(const Array& array, int gap = 0) : shape_(array), gap_(gap) {
    const auto step = static_cast<std::size_t>(array.c + gap);
    memory_.assign(array.values.size() / static_cast<std::size_t>(std::max(array.c, 1)) * step, foreign);
    for_each(array, [&](int n, int y, int x, int c) { image().at(n, y, x)[c] = static_cast<T>(array(n, y, x, c)); });
  }
  [[nodiscard]] kernels::Image<T> image() {
    return {memory_.data(), shape_.n, shape_.h, shape_.w, shape_.c, shape_.c + gap_};
  }
  // What the kernel left; fails where it wrote between the pixels.
  [[nodiscard]] Array array() {
    Array result = shape_.like();
    for_each(result,
             [&](int n, int y, int x, int c) { result(n, y, x, c) = static_cast<double>(image().at(n, y, x)[c]); });
    for (std::size_t i = 0; i < memory_.size(); ++i) {
      const auto channel = static_cast<int>(i % static_cast<std::size_t>(shape_.c + gap_));
      if (channel >= shape_.c && memory_[i] != foreign) {
        ADD_FAILURE() << "element " << i << ", between two pixels, was written";
        break;
      }
    }
    return result;
  }
  [[nodiscard]] const std::vector<T>& memory() const { return memory_; }

 private:
  static constexpr T foreign = static_cast<T>(-12345);
  Array shape_;
  int gap_;
  std::vector<T> memory_;
};

template <class T>
std::vector<T> converted(const std::vector<double>& values) {
  std::vector<T> result(values.size());
  std::transform(values.begin(), values.end(), result.begin(), [](double value) { return static_cast<T>(value); });
  return result;
}

inline std::vector<double> sum_of(std::vector<double> a, const std::vector<double>& b) {
  for (std::size_t i = 0; i < a.size(); ++i) a[i] += b[i];
  return a;
}

// Fails where a value is further from the reference than `bound` times the reference's largest magnitude; at least
// times `floor`, which is the size of the summands where they may cancel.
template <class T>
void expect_near(const std::vector<T>& ours, const std::vector<double>& reference, double bound, std::string_view what,
                 double floor = 0) {
  ASSERT_EQ(ours.size(), reference.size()) << what;
  double scale = floor;
  for (const double value : reference) scale = std::max(scale, std::abs(value));
  double worst = 0;
  std::size_t where = 0;
  for (std::size_t i = 0; i < ours.size(); ++i) {
    const double error = std::abs(static_cast<double>(ours[i]) - reference[i]);
    if (error > worst || std::isnan(error)) {
      worst = error;
      where = i;
      if (std::isnan(error)) break;
    }
  }
  EXPECT_LE(worst, bound * scale) << what << ": element " << where << " of " << ours.size() << " is " << ours[where]
                                  << ", the reference " << reference[where];
}

inline void expect_near(const Array& ours, const Array& reference, double bound, std::string_view what,
                        double floor = 0) {
  expect_near(ours.values, reference.values, bound, what, floor);
}

// A bound in units of the type's rounding, so that one number serves float and double.
template <class T>
constexpr double roundings(double count) {
  return count * static_cast<double>(std::numeric_limits<T>::epsilon());
}

}  // namespace plume::tests
