// A rectangle of an image's rows and columns.
#pragma once

#include <cstddef>

namespace plume::data {

struct PixelWindow {
  std::size_t row = 0;
  std::size_t column = 0;
  std::size_t height = 0;
  std::size_t width = 0;
  [[nodiscard]] std::size_t pixels() const { return height * width; }
  bool operator==(const PixelWindow&) const = default;
};

}  // namespace plume::data
