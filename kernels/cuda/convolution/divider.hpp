// Division by numbers that the host knows, done as a multiplication: kernels turn pixel numbers into rows and columns.
// Source: Granlund and Montgomery, "Division by invariant integers using multiplication", 1994.
#pragma once

#include <bit>
#include <cstdint>

#include "kernels/base/host_device.hpp"

namespace plume::kernels::cuda {

// Exact for dividends of 0 to 2^31 - 1.
class Divider {
 public:
  Divider() = default;
  explicit Divider(int divisor) : divisor_(divisor), shift_(31 + std::bit_width(static_cast<unsigned>(divisor - 1))) {
    const auto d = static_cast<std::uint64_t>(divisor);
    multiplier_ = static_cast<std::uint32_t>(((std::uint64_t{1} << shift_) + d - 1) / d);
  }

  [[nodiscard]] PLUME_HD int divisor() const { return divisor_; }
  [[nodiscard]] PLUME_HD int quotient(int dividend) const {
    return static_cast<int>((static_cast<std::uint64_t>(dividend) * multiplier_) >> shift_);
  }

 private:
  int divisor_ = 1;
  int shift_ = 31;
  std::uint32_t multiplier_ = std::uint32_t{1} << 31;
};

// Pixels of images of the same size, numbered by image, row and column.
struct PixelGrid {
  Divider rows;
  Divider columns;

  struct Place {
    int image;
    int row;
    int column;
  };
  [[nodiscard]] PLUME_HD Place place(int pixel) const {
    const int row = columns.quotient(pixel);
    const int image = rows.quotient(row);
    return {image, row - image * rows.divisor(), pixel - row * columns.divisor()};
  }
};

}  // namespace plume::kernels::cuda
