// Outlines of the smoke found: a polygon for each connected region of one label.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "unet/inference/prediction.hpp"

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

// Pixels of one label that share an edge are one region; label 0 is none. In the order of their first pixels, by rows.
[[nodiscard]] std::vector<Polygon> trace_polygons(const Prediction& prediction);

// With fewer corners: none of those left out is further than `tolerance` pixels from what remains. A polygon whose
// rings would cross or vanish is simplified less. Source: Douglas and Peucker, "Algorithms for the reduction of the
// number of points required to represent a digitized line or its caricature", 1973.
void simplify(Polygon& polygon, double tolerance);

}  // namespace plume::unet
