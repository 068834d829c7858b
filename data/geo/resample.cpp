// A box of one pixel of the image about a point weighs the four pixels around it as bilinear interpolation does, so the
// mean over a box goes over into that without a seam; the four have a shorter way of their own.
#include "data/geo/resample.hpp"

#include <algorithm>
#include <array>
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
  // begin >= 0. Conversions to int cut towards 0, so they round down from there on and up below, without a call.
  [[nodiscard]] int first(int begin) const { return std::max(begin, static_cast<int>(std::max(from + 0.5, 0.0))); }
  [[nodiscard]] int last(int end) const {
    const double border = to - 0.5;
    const int cut = static_cast<int>(border);
    return std::min(end - 1, border > cut ? cut + 1 : cut);
  }
  [[nodiscard]] double share(int pixel) const { return std::min(pixel + 0.5, to) - std::max(pixel - 0.5, from); }
};

// From scan angles to pixels along one axis of an image.
class PixelAxis {
 public:
  explicit PixelAxis(const ScanAxis& axis)
      : first_(axis.first), per_step_(1 / axis.step), per_extent_(std::abs(per_step_)), far_(2.0 * axis.count + 2) {}

  // Beyond an image by more than itself is all the same, and an int holds that.
  [[nodiscard]] double pixel(double angle) const { return std::clamp((angle - first_) * per_step_, -far_, far_); }
  [[nodiscard]] double size(double extent) const { return std::clamp(extent * per_extent_, 1.0, far_); }

 private:
  double first_;
  double per_step_;
  double per_extent_;
  double far_;
};

// First and last pixel of an axis that boxes about the angles from `least` to `most` touch; last < first where none.
std::pair<int, int> covered(double least, double most, const ScanAxis& axis) {
  if (!(least <= most)) return {0, -1};
  const PixelAxis pixels(axis);
  const auto [from, to] = std::minmax({pixels.pixel(least), pixels.pixel(most)});
  const Stretch stretch{from - 0.5, to + 0.5};  // boxes are at least one pixel wide
  return {stretch.first(0), stretch.last(axis.count)};
}

// What a pixel of the grid covers of an image.
struct Box {
  Stretch rows;
  Stretch columns;
};

Box box_about(double row, double column, double height, double width) {
  return {{row - height / 2, row + height / 2}, {column - width / 2, column + width / 2}};
}

// The mean of what was measured in the box, by area.
float mean(const Plane& part, const Box& box) {
  const auto& [rows, columns] = box;
  const auto row_begin = static_cast<int>(part.window.row);
  const auto column_begin = static_cast<int>(part.window.column);
  const int first_row = rows.first(row_begin);
  const int last_row = rows.last(row_begin + static_cast<int>(part.window.height));
  const int first_column = columns.first(column_begin);
  const int last_column = columns.last(column_begin + static_cast<int>(part.window.width));
  // A box is mostly a few pixels wide; the shares of the columns are the same in each of its rows.
  constexpr int most = 16;
  // Of up to so many columns at a time.
  std::array<double, most> shares;  // NOLINT(cppcoreguidelines-pro-type-member-init): set below, at every pixel
  double sum = 0;
  double weight = 0;
  for (int begin = first_column; begin <= last_column; begin += most) {
    const int end = std::min(begin + most, last_column + 1);
    for (int column = begin; column < end; ++column)
      shares[static_cast<std::size_t>(column - begin)] = columns.share(column);
    for (int row = first_row; row <= last_row; ++row) {
      const float* values =
          part.values.data() + static_cast<std::size_t>(row - row_begin) * part.window.width + (begin - column_begin);
      const double row_share = rows.share(row);
      for (int i = 0; i < end - begin; ++i) {
        const bool measured = !std::isnan(values[i]);
        const double share = measured ? row_share * shares[static_cast<std::size_t>(i)] : 0;
        sum += share * (measured ? values[i] : 0);
        weight += share;
      }
    }
  }
  const double area = (rows.to - rows.from) * (columns.to - columns.from);
  return 2 * weight >= area ? static_cast<float>(sum / weight) : missing;
}

float bilinear(const Plane& part, double row, double column) {
  const double row_within = row - static_cast<double>(part.window.row);
  const double column_within = column - static_cast<double>(part.window.column);
  const auto height = static_cast<double>(part.window.height);
  const auto width = static_cast<double>(part.window.width);
  if (row_within >= 0 && column_within >= 0 && row_within < height - 1 && column_within < width - 1) {
    const auto top = static_cast<std::size_t>(row_within);
    const auto left = static_cast<std::size_t>(column_within);
    const float* above = part.values.data() + top * part.window.width + left;
    const float* below = above + part.window.width;
    const double down = row_within - static_cast<double>(top);
    const double right = column_within - static_cast<double>(left);
    const double value =
        (1 - down) * ((1 - right) * above[0] + right * above[1]) + down * ((1 - right) * below[0] + right * below[1]);
    if (!std::isnan(value)) return static_cast<float>(value);
  }
  return mean(part, box_about(row, column, 1, 1));  // at a border, or where something was not measured
}

float nearest(const Plane& part, double row, double column) {
  const double row_within = std::round(row) - static_cast<double>(part.window.row);
  const double column_within = std::round(column) - static_cast<double>(part.window.column);
  if (row_within < 0 || column_within < 0 || row_within >= static_cast<double>(part.window.height) ||
      column_within >= static_cast<double>(part.window.width))
    return missing;
  return part
      .values[static_cast<std::size_t>(row_within) * part.window.width + static_cast<std::size_t>(column_within)];
}

}  // namespace

ScanMap::ScanMap(const Grid& grid, const Geostationary& satellite)
    : height_(grid.height),
      width_(grid.width),
      angles_(static_cast<std::size_t>(grid.height) * static_cast<std::size_t>(grid.width)),
      reaches_(angles_.size()) {
  // Rows of a grid in degrees are parallels, and its columns meridians, unless it is turned.
  const auto& transform = grid.georeference.transform;
  const bool upright = grid.coordinates == Coordinates::geographic && transform[2] == 0 && transform[4] == 0;
  std::optional<Transformation> to_degrees;
  if (grid.coordinates == Coordinates::projected) to_degrees = to_geographic(grid.georeference.projection);
  std::vector<double> x(static_cast<std::size_t>(width_));
  std::vector<double> y(x.size());
  std::vector<Geostationary::Meridian> meridians;
  for (int row = 0; row < height_; ++row) {
    row_of(grid, row, x, y);
    if (to_degrees) (*to_degrees)(x, y);
    if (upright && row == 0) {
      for (const double longitude : x) meridians.push_back(satellite.meridian(longitude));
    }
    const auto parallel = satellite.parallel(y[0]);
    ScanAngle* angles = angles_.data() + index(row, 0);
    for (std::size_t i = 0; i < x.size(); ++i) {
      if (upright) {
        angles[i] = satellite.scan_angle(parallel, meridians[i]);
      } else if (grid.coordinates == Coordinates::scan_angles) {
        angles[i] = {.x = x[i] / satellite.height, .y = y[i] / satellite.height};
      } else {
        angles[i] = satellite.scan_angle({.longitude = x[i], .latitude = y[i]});
      }
    }
  }
  for (int row = 0; row < height_; ++row) {
    for (int column = 0; column < width_; ++column) {
      const ScanAngle seen = angle(row, column);
      if (std::isnan(seen.x)) continue;
      const Reach reach = reaches_[index(row, column)] = reach_of(row, column);
      x_.add(seen.x, reach.x);
      y_.add(seen.y, reach.y);
    }
  }
}

ScanMap::Reach ScanMap::reach_of(int row, int column) const {
  const ScanAngle here = angle(row, column);
  const ScanAngle beside = angle(row, column + 1 < width_ ? column + 1 : std::max(0, column - 1));
  const ScanAngle below = angle(row + 1 < height_ ? row + 1 : std::max(0, row - 1), column);
  const auto length = [](double a, double b) {
    const double both = a * a + b * b;
    return std::isnan(both) ? 0.0F : static_cast<float>(std::sqrt(both));
  };
  return {length(beside.x - here.x, below.x - here.x), length(beside.y - here.y, below.y - here.y)};
}

PixelWindow ScanMap::window(const FixedGrid& image) const {
  const auto [first_row, last_row] = covered(y_.least, y_.most, image.y);
  const auto [first_column, last_column] = covered(x_.least, x_.most, image.x);
  if (last_row < first_row || last_column < first_column) return {};
  return {.row = static_cast<std::size_t>(first_row),
          .column = static_cast<std::size_t>(first_column),
          .height = static_cast<std::size_t>(last_row - first_row + 1),
          .width = static_cast<std::size_t>(last_column - first_column + 1)};
}

void ScanMap::sample(const FixedGrid& image, const Plane& part, Resampling resampling, float* target,
                     std::size_t spacing) const {
  const PixelAxis x(image.x);
  const PixelAxis y(image.y);
  const auto value_at = [&](int row, int column) {
    const ScanAngle seen = angle(row, column);
    if (std::isnan(seen.x)) return missing;
    const double image_row = y.pixel(seen.y);
    const double image_column = x.pixel(seen.x);
    if (resampling == Resampling::nearest) return nearest(part, image_row, image_column);
    if (resampling == Resampling::bilinear) return bilinear(part, image_row, image_column);
    const Reach& reach = reaches_[index(row, column)];
    const double height = y.size(double{reach.y});
    const double width = x.size(double{reach.x});
    if (height == 1 && width == 1) return bilinear(part, image_row, image_column);
    return mean(part, box_about(image_row, image_column, height, width));
  };
  for (int row = 0; row < height_; ++row) {
    for (int column = 0; column < width_; ++column, target += spacing) *target = value_at(row, column);
  }
}

}  // namespace plume::data::geo
