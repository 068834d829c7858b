// A box of one pixel of the image's about a point weighs the four pixels around it as bilinear interpolation does, so one
// loop serves both that and the mean.
#include "data/geo/resample.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "data/geo/projection.hpp"

namespace plume::data::geo {
namespace {

constexpr float missing = std::numeric_limits<float>::quiet_NaN();

// x and y of a row's pixel centres, in the grid's coordinates.
void row_of(const Grid& grid, int row, std::vector<double>& x, std::vector<double>& y) {
  const auto& t = grid.georeference.transform;
  for (int column = 0; column < grid.width; ++column) {
    const auto i = static_cast<std::size_t>(column);
    x[i] = t[0] + (column + 0.5) * t[1] + (row + 0.5) * t[2];
    y[i] = t[3] + (column + 0.5) * t[4] + (row + 0.5) * t[5];
  }
}

// The pixels of an image along one axis that a stretch covers, clipped to [begin, end).
struct Stretch {
  double from;  // in pixels; pixel i reaches from i - 0.5 to i + 0.5
  double to;
  [[nodiscard]] int first(int begin) const { return std::max(begin, static_cast<int>(std::floor(from + 0.5))); }
  [[nodiscard]] int last(int end) const { return std::min(end - 1, static_cast<int>(std::ceil(to - 0.5))); }
  [[nodiscard]] double share(int pixel) const { return std::min(pixel + 0.5, to) - std::max(pixel - 0.5, from); }
};

// Of the axis that an angle and its extent belong to.
Stretch stretch_of(double angle, double extent, const ScanAxis& axis, Resampling resampling) {
  const double center = (angle - axis.first) / axis.step;
  const double size = resampling == Resampling::mean ? std::max(1.0, std::abs(extent / axis.step)) : 1.0;
  // Beyond an image by more than itself is all the same, and an int holds that.
  const double far = 2.0 * axis.count + 2;
  return {std::clamp(center - size / 2, -far, far), std::clamp(center + size / 2, -far, far)};
}

}  // namespace

struct ScanMap::Box {
  Stretch rows;
  Stretch columns;

  [[nodiscard]] float mean(const Plane& part) const {
    const auto row_begin = static_cast<int>(part.window.row);
    const auto column_begin = static_cast<int>(part.window.column);
    const int first_row = rows.first(row_begin);
    const int last_row = rows.last(row_begin + static_cast<int>(part.window.height));
    const int first_column = columns.first(column_begin);
    const int last_column = columns.last(column_begin + static_cast<int>(part.window.width));
    double sum = 0;
    double weight = 0;
    for (int row = first_row; row <= last_row; ++row) {
      const float* values = part.values.data() + static_cast<std::size_t>(row - row_begin) * part.window.width;
      const double row_share = rows.share(row);
      for (int column = first_column; column <= last_column; ++column) {
        const float value = values[column - column_begin];
        if (std::isnan(value)) continue;
        const double share = row_share * columns.share(column);
        sum += share * value;
        weight += share;
      }
    }
    const double area = (rows.to - rows.from) * (columns.to - columns.from);
    return 2 * weight >= area ? static_cast<float>(sum / weight) : missing;
  }

  [[nodiscard]] float nearest(const Plane& part) const {
    const double row = std::round((rows.from + rows.to) / 2) - static_cast<double>(part.window.row);
    const double column = std::round((columns.from + columns.to) / 2) - static_cast<double>(part.window.column);
    if (row < 0 || column < 0 || row >= static_cast<double>(part.window.height) ||
        column >= static_cast<double>(part.window.width))
      return missing;
    return part.values[static_cast<std::size_t>(row) * part.window.width + static_cast<std::size_t>(column)];
  }
};

ScanMap::ScanMap(const Grid& grid, const Geostationary& satellite)
    : height_(grid.height),
      width_(grid.width),
      angles_(static_cast<std::size_t>(grid.height) * static_cast<std::size_t>(grid.width)) {
  std::optional<Transformation> to_geographic;
  if (grid.coordinates == Coordinates::projected)
    to_geographic.emplace(grid.georeference.projection, Transformation::Direction::to_geographic);
  std::vector<double> x(static_cast<std::size_t>(width_));
  std::vector<double> y(x.size());
  for (int row = 0; row < height_; ++row) {
    row_of(grid, row, x, y);
    if (to_geographic) (*to_geographic)(x, y);
    ScanAngle* angles = angles_.data() + index(row, 0);
    for (std::size_t i = 0; i < x.size(); ++i) {
      angles[i] = grid.coordinates == Coordinates::scan_angles
                      ? ScanAngle{x[i] / satellite.height, y[i] / satellite.height}
                      : satellite.scan_angle({.longitude = x[i], .latitude = y[i]});
    }
  }
}

// How far a pixel reaches in x and in y, from the angles of its neighbours; 0 where these are not seen.
ScanAngle ScanMap::extent(int row, int column) const {
  const ScanAngle here = angle(row, column);
  const ScanAngle beside = angle(row, column + 1 < width_ ? column + 1 : std::max(0, column - 1));
  const ScanAngle below = angle(row + 1 < height_ ? row + 1 : std::max(0, row - 1), column);
  const auto length = [](double a, double b) {
    const double both = a * a + b * b;
    return std::isnan(both) ? 0 : std::sqrt(both);
  };
  return {length(beside.x - here.x, below.x - here.x), length(beside.y - here.y, below.y - here.y)};
}

ScanMap::Box ScanMap::box(int row, int column, const FixedGrid& image, Resampling resampling) const {
  const ScanAngle center = angle(row, column);
  const ScanAngle reach = resampling == Resampling::mean ? extent(row, column) : ScanAngle{0, 0};
  return {stretch_of(center.y, reach.y, image.y, resampling), stretch_of(center.x, reach.x, image.x, resampling)};
}

Window ScanMap::window(const FixedGrid& image, Resampling resampling) const {
  int first_row = image.y.count;
  int last_row = -1;
  int first_column = image.x.count;
  int last_column = -1;
  for (int row = 0; row < height_; ++row) {
    for (int column = 0; column < width_; ++column) {
      if (std::isnan(angle(row, column).x)) continue;
      const auto [rows, columns] = box(row, column, image, resampling);
      if (rows.first(0) > rows.last(image.y.count) || columns.first(0) > columns.last(image.x.count)) continue;
      first_row = std::min(first_row, rows.first(0));
      last_row = std::max(last_row, rows.last(image.y.count));
      first_column = std::min(first_column, columns.first(0));
      last_column = std::max(last_column, columns.last(image.x.count));
    }
  }
  if (last_row < 0) return {};
  return {.row = static_cast<std::size_t>(first_row),
          .column = static_cast<std::size_t>(first_column),
          .height = static_cast<std::size_t>(last_row - first_row + 1),
          .width = static_cast<std::size_t>(last_column - first_column + 1)};
}

void ScanMap::sample(const FixedGrid& image, const Plane& part, Resampling resampling, float* target,
                     std::size_t spacing) const {
  for (int row = 0; row < height_; ++row) {
    for (int column = 0; column < width_; ++column, target += spacing) {
      if (std::isnan(angle(row, column).x)) {
        *target = missing;
        continue;
      }
      const Box covered = box(row, column, image, resampling);
      *target = resampling == Resampling::nearest ? covered.nearest(part) : covered.mean(part);
    }
  }
}

}  // namespace plume::data::geo
