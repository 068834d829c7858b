// One walk over the pixels of both orientations, for either way.
#include "unet/inference/orientation.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace plume::unet {
namespace {

// Calls visit(turned, plain) for each pixel: where its first channel is in the orientation, and where in none.
template <class Visit>
void for_each_pixel(const Orientation& orientation, const nn::Shape& shape, const Visit& visit) {
  const nn::Shape turned = oriented(orientation, shape);
  const auto channels = static_cast<std::ptrdiff_t>(shape.c);
  std::ptrdiff_t to = 0;
  for (int n = 0; n < turned.n; ++n) {
    for (int y = 0; y < turned.h; ++y) {
      const int row = orientation.flip_rows ? turned.h - 1 - y : y;
      for (int x = 0; x < turned.w; ++x, to += channels) {
        const int column = orientation.flip_columns ? turned.w - 1 - x : x;
        const auto [from_row, from_column] = orientation.transpose ? std::pair{column, row} : std::pair{row, column};
        visit(to, ((std::ptrdiff_t{n} * shape.h + from_row) * shape.w + from_column) * channels);
      }
    }
  }
}

}  // namespace

std::vector<Orientation> orientations(TestTime test_time) {
  std::vector<Orientation> all{{}};
  if (test_time == TestTime::none) return all;
  all.insert(all.end(), {{false, true, false}, {false, false, true}, {false, true, true}});
  if (test_time == TestTime::flips) return all;
  for (std::size_t i = 0; i < 4; ++i) all.push_back({true, all[i].flip_rows, all[i].flip_columns});
  return all;
}

nn::Shape oriented(const Orientation& orientation, const nn::Shape& shape) {
  return orientation.transpose ? nn::Shape{shape.n, shape.w, shape.h, shape.c} : shape;
}

Margins oriented(const Orientation& orientation, const Margins& margins) {
  Margins turned = margins;
  if (orientation.transpose) turned = {margins.left, margins.top, margins.right, margins.bottom};
  if (orientation.flip_rows) std::swap(turned.top, turned.bottom);
  if (orientation.flip_columns) std::swap(turned.left, turned.right);
  return turned;
}

std::vector<float> orient(const Orientation& orientation, const nn::Shape& shape, const float* values) {
  std::vector<float> turned(shape.count());
  for_each_pixel(orientation, shape, [&](std::ptrdiff_t to, std::ptrdiff_t from) {
    std::copy_n(values + from, shape.c, turned.data() + to);
  });
  return turned;
}

void add_turned_back(const Orientation& orientation, const nn::Shape& shape, std::span<const float> values,
                     std::span<float> sum) {
  for_each_pixel(orientation, shape, [&](std::ptrdiff_t from, std::ptrdiff_t to) {
    for (std::ptrdiff_t c = 0; c < shape.c; ++c)
      sum[static_cast<std::size_t>(to + c)] += values[static_cast<std::size_t>(from + c)];
  });
}

}  // namespace plume::unet
