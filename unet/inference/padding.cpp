// Row by row.
#include "unet/inference/padding.hpp"

#include <algorithm>

namespace plume::unet {
namespace {

// A row of dense images, as an offset into their values.
std::size_t row_of(const nn::Shape& images, int image, int row) {
  return (static_cast<std::size_t>(image) * static_cast<std::size_t>(images.h) + static_cast<std::size_t>(row)) *
         static_cast<std::size_t>(images.w) * static_cast<std::size_t>(images.c);
}

}  // namespace

nn::Shape padded_shape(const nn::Shape& images, int multiple) {
  return {images.n, round_up(images.h, multiple), round_up(images.w, multiple), images.c};
}

std::vector<float> pad(const float* values, const nn::Shape& from, const nn::Shape& to) {
  std::vector<float> padded;
  padded.reserve(to.count());
  for (int n = 0; n < to.n; ++n) {
    for (int y = 0; y < to.h; ++y) {
      const float* row = values + row_of(from, n, std::min(y, from.h - 1));
      const float* end = row + static_cast<std::ptrdiff_t>(from.w) * from.c;
      padded.insert(padded.end(), row, end);
      for (int x = from.w; x < to.w; ++x) padded.insert(padded.end(), end - from.c, end);
    }
  }
  return padded;
}

std::vector<float> crop(const std::vector<float>& values, const nn::Shape& whole, int height, int width, int row,
                        int column) {
  const nn::Shape kept{whole.n, height, width, whole.c};
  std::vector<float> cropped(kept.count());
  for (int n = 0; n < whole.n; ++n) {
    for (int y = 0; y < height; ++y) {
      std::copy_n(values.data() + row_of(whole, n, row + y) + std::ptrdiff_t{column} * whole.c,
                  static_cast<std::size_t>(width) * static_cast<std::size_t>(whole.c),
                  cropped.data() + row_of(kept, n, y));
    }
  }
  return cropped;
}

}  // namespace plume::unet
