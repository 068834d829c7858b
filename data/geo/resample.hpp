// From a satellite's images to the pixels of a grid.
#pragma once

#include <algorithm>
#include <cstddef>
#include <limits>
#include <vector>

#include "data/formats/window.hpp"
#include "data/geo/geostationary.hpp"
#include "data/geo/grid.hpp"

namespace plume::data::geo {

enum class Resampling {
  nearest,
  bilinear,
  mean,  // over what a pixel of the grid covers; where that is less than a pixel of the image, bilinear
};

// Part of an image: values [window.height, window.width], NaN where nothing was measured.
struct Plane {
  PixelWindow window;
  std::vector<float> values;
};

// Where one satellite sees each pixel of a grid; for all its bands, whatever their resolution.
class ScanMap {
 public:
  // A grid of scan angles must be of this satellite. Throws usage_error where GDAL does not know its projection.
  ScanMap(const Grid& grid, const Geostationary& satellite);

  [[nodiscard]] int height() const { return height_; }
  [[nodiscard]] int width() const { return width_; }

  // Of the pixel's centre; NaN where the satellite does not see it.
  [[nodiscard]] ScanAngle angle(int row, int column) const { return angles_[index(row, column)]; }

  // A part of an image that holds all that sampling reads; of no pixels where the grid lies beside it.
  [[nodiscard]] PixelWindow window(const FixedGrid& image) const;

  // Writes [height, width] values, `spacing` floats apart, from a part of an image that holds window(). Pixels that
  // were not measured count for nothing; where they would make up more than half, and where the satellite does not
  // look, the value is NaN.
  void sample(const FixedGrid& image, const Plane& part, Resampling resampling, float* target,
              std::size_t spacing = 1) const;

 private:
  [[nodiscard]] std::size_t index(int row, int column) const {
    return static_cast<std::size_t>(row) * static_cast<std::size_t>(width_) + static_cast<std::size_t>(column);
  }
  // How far a pixel reaches in x and in y: radians, of which floats hold enough.
  struct Reach {
    float x = 0;
    float y = 0;
  };
  // From the angles of its neighbours; 0 where these are not seen.
  [[nodiscard]] Reach reach_of(int row, int column) const;

  // The least stretch of angles that holds what was added; empty at first.
  struct Range {
    double least = std::numeric_limits<double>::infinity();
    double most = -std::numeric_limits<double>::infinity();
    void add(double center, double extent) {
      least = std::min(least, center - extent / 2);
      most = std::max(most, center + extent / 2);
    }
  };

  int height_;
  int width_;
  std::vector<ScanAngle> angles_;  // [height, width]
  std::vector<Reach> reaches_;     // [height, width]
  Range x_;                        // of all pixels, with their extents
  Range y_;
};

}  // namespace plume::data::geo
