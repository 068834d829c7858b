// Borders and distances between them.
#include "unet/metrics/boundary.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>
#include <vector>

#include "unet/metrics/ratio.hpp"

namespace plume::unet {
namespace {

struct Place {
  int y;
  int x;
};

// A mask with its size; nothing beyond the image.
class Mask {
 public:
  Mask(std::vector<std::uint8_t> values, int height, int width)
      : values_(std::move(values)), height_(height), width_(width) {}

  [[nodiscard]] bool inside(int y, int x) const { return y >= 0 && y < height_ && x >= 0 && x < width_; }
  [[nodiscard]] bool at(int y, int x) const { return inside(y, x) && values_[index(y, x)] != 0; }

  // Its pixels that have another beside them.
  [[nodiscard]] Mask border() const {
    Mask result({std::vector<std::uint8_t>(values_.size()), height_, width_});
    const auto other = [&](int y, int x) { return inside(y, x) && !at(y, x); };
    for_each([&](int y, int x) {
      if (other(y - 1, x) || other(y + 1, x) || other(y, x - 1) || other(y, x + 1)) result.values_[index(y, x)] = 1;
    });
    return result;
  }

  // Calls body(y, x) for each pixel that is set.
  template <class Body>
  void for_each(const Body& body) const {
    for (int y = 0; y < height_; ++y) {
      for (int x = 0; x < width_; ++x) {
        if (at(y, x)) body(y, x);
      }
    }
  }

 private:
  [[nodiscard]] std::size_t index(int y, int x) const {
    return static_cast<std::size_t>(y) * static_cast<std::size_t>(width_) + static_cast<std::size_t>(x);
  }

  std::vector<std::uint8_t> values_;
  int height_;
  int width_;
};

// The places within the tolerance of a pixel.
std::vector<Place> disc(double tolerance) {
  std::vector<Place> places;
  const int reach = static_cast<int>(std::floor(tolerance));
  for (int y = -reach; y <= reach; ++y) {
    for (int x = -reach; x <= reach; ++x) {
      if (y * y + x * x <= tolerance * tolerance) places.push_back({y, x});
    }
  }
  return places;
}

// Adds how many border pixels there are, and how many of them have one of the others around.
void match(std::int64_t& all, std::int64_t& near, const Mask& border, const Mask& others,
           const std::vector<Place>& around) {
  border.for_each([&](int y, int x) {
    ++all;
    near += std::any_of(around.begin(), around.end(), [&](const Place& by) { return others.at(y + by.y, x + by.x); });
  });
}

}  // namespace

BoundaryCounts& BoundaryCounts::operator+=(const BoundaryCounts& other) {
  found += other.found;
  found_right += other.found_right;
  truth += other.truth;
  truth_found += other.truth_found;
  return *this;
}

double BoundaryCounts::precision() const {
  return ratio(found_right, found, truth == 0);
}
double BoundaryCounts::recall() const {
  return ratio(truth_found, truth, found == 0);
}

double BoundaryCounts::f1() const {
  const double sum = precision() + recall();
  return sum == 0 ? 0.0 : 2 * precision() * recall() / sum;
}

BoundaryCounts count_boundary(std::span<const std::uint8_t> found, std::span<const std::uint8_t> truth, int height,
                              int width, double tolerance) {
  const Mask ours = Mask({found.begin(), found.end()}, height, width).border();
  const Mask theirs = Mask({truth.begin(), truth.end()}, height, width).border();
  const std::vector<Place> around = disc(tolerance);
  BoundaryCounts counts;
  match(counts.found, counts.found_right, ours, theirs, around);
  match(counts.truth, counts.truth_found, theirs, ours, around);
  return counts;
}

}  // namespace plume::unet
