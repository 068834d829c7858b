// Outlines of the smoke found: a polygon for each connected region of one label.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <utility>
#include <vector>

#include "unet/inference/prediction.hpp"
#include "unet/inference/region_rows.hpp"

namespace plume::unet {

// A corner of pixels: pixel (row, column) lies between (column, row) and (column + 1, row + 1).
struct Corner {
  int x = 0;
  int y = 0;
  bool operator==(const Corner&) const = default;
};

// Closed: the last corner is the first. The region lies to the right of the way, seen with rows counted downwards.
using Ring = std::vector<Corner>;

struct Polygon {
  int label = 0;
  std::vector<Ring> rings;  // the outline, then holes; they may touch in corners, but do not cross
  std::int64_t area = 0;    // pixels
  float mean_probability = 0;
  float max_probability = 0;
};

// Traces an image whose rows come one by one. It keeps borders of regions, not pixels.
// Pixels of one label that share an edge are one region; label 0 is none.
class PolygonTracer {
 public:
  // Polygons are simplified by the tolerance (simplify).
  explicit PolygonTracer(double tolerance = 0) : tolerance_(tolerance) {}

  // The labels of the next row, and the probability of each pixel's label.
  void add_row(std::span<const std::uint8_t> labels, std::span<const float> confidence);

  // After the last row: all polygons, in the order of their regions' first pixels, by rows.
  [[nodiscard]] std::vector<Polygon> finish();

  // Edges of pixels in one line; the region lies to the right of the way.
  struct Border {
    enum Heading : std::uint8_t { east, south, west, north };
    Corner from;
    Corner to;
    Heading heading{};
    bool walked = false;
  };
  // What is known of a region.
  struct Outline {
    int label = 0;
    std::pair<int, int> first{std::numeric_limits<int>::max(), 0};  // row and column of its first pixel
    std::int64_t area = 0;
    double sum = 0;  // of probabilities
    float most = 0;
    std::vector<Border> borders{};
    void join(Outline&& other);
  };

 private:
  void add(Outline&& outline);

  double tolerance_;
  int row_ = 0;
  RegionRows<Outline> regions_;
  std::vector<std::pair<std::pair<int, int>, Polygon>> found_;  // with their first pixels
};

// Of a whole image.
[[nodiscard]] std::vector<Polygon> trace_polygons(const Prediction& prediction);

// With fewer corners: none of those left out is further than `tolerance` pixels from what remains. A polygon whose
// rings would cross or vanish is simplified less. Source: Douglas and Peucker, "Algorithms for the reduction of the
// number of points required to represent a digitized line or its caricature", 1973.
void simplify(Polygon& polygon, double tolerance);

}  // namespace plume::unet
