// Regions are filled, then their borders are walked, pixel edge by pixel edge.
#include "unet/inference/polygons.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

namespace plume::unet {
namespace {

constexpr std::int32_t none = -1;

class Tracer {
 public:
  explicit Tracer(const Prediction& prediction)
      : prediction_(prediction),
        height_(prediction.height),
        width_(prediction.width),
        region_(prediction.labels.size(), none),
        walked_(prediction.labels.size(), 0) {}

  std::vector<Polygon> trace() {
    for (int y = 0; y < height_; ++y) {
      for (int x = 0; x < width_; ++x) {
        const std::size_t pixel = at(x, y);
        if (prediction_.labels[pixel] == 0) continue;
        if (region_[pixel] == none) fill(x, y);
        // Every ring has an upper edge, and a region's first pixel has one of its outline.
        if (walked_[pixel] == 0 && region(x, y - 1) != region_[pixel])
          polygons_[static_cast<std::size_t>(region_[pixel])].rings.push_back(walk(x, y));
      }
    }
    return std::move(polygons_);
  }

 private:
  [[nodiscard]] std::size_t at(int x, int y) const {
    return static_cast<std::size_t>(y) * static_cast<std::size_t>(width_) + static_cast<std::size_t>(x);
  }
  [[nodiscard]] std::int32_t region(int x, int y) const {
    return x >= 0 && y >= 0 && x < width_ && y < height_ ? region_[at(x, y)] : none;
  }

  // A new region of all pixels that are connected with this one.
  void fill(int first_x, int first_y) {
    const std::uint8_t label = prediction_.labels[at(first_x, first_y)];
    const auto number = static_cast<std::int32_t>(polygons_.size());
    Polygon polygon{.label = label, .rings = {}};
    double sum = 0;
    std::vector<Corner> ahead;
    const auto take = [&](int x, int y) {
      if (x < 0 || y < 0 || x >= width_ || y >= height_) return;
      const std::size_t pixel = at(x, y);
      if (region_[pixel] != none || prediction_.labels[pixel] != label) return;
      region_[pixel] = number;
      ahead.push_back({x, y});
    };
    take(first_x, first_y);
    while (!ahead.empty()) {
      const auto [x, y] = ahead.back();
      ahead.pop_back();
      const float probability = prediction_.confidence[at(x, y)];
      ++polygon.area;
      sum += static_cast<double>(probability);
      polygon.max_probability = std::max(polygon.max_probability, probability);
      take(x - 1, y);
      take(x + 1, y);
      take(x, y - 1);
      take(x, y + 1);
    }
    polygon.mean_probability = static_cast<float>(sum / static_cast<double>(polygon.area));
    polygons_.push_back(std::move(polygon));
  }

  // The ring that begins with the upper edge of a pixel. Where two pixels of the region meet in a corner alone, the way
  // stays beside what is outside, so a ring does not touch itself: the region encloses one of the two outer pixels
  // there.
  Ring walk(int first_x, int first_y) {
    // East, south, west and north: steps, and the pixels ahead to the left and right of a corner.
    struct Heading {
      int dx, dy;
      int left_x, left_y;
      int right_x, right_y;
    };
    static constexpr std::array<Heading, 4> headings{
        {{1, 0, 0, -1, 0, 0}, {0, 1, 0, 0, -1, 0}, {-1, 0, -1, 0, -1, -1}, {0, -1, -1, -1, 0, -1}}};
    const std::int32_t mine = region(first_x, first_y);
    Ring ring{{first_x, first_y}};
    int x = first_x;
    int y = first_y;
    std::size_t heading = 0;
    do {
      if (heading == 0) walked_[at(x, y)] = 1;
      x += headings[heading].dx;
      y += headings[heading].dy;
      const Heading& ahead = headings[heading];
      std::size_t turned = heading;
      if (region(x + ahead.left_x, y + ahead.left_y) == mine) {
        turned = (heading + 3) % 4;
      } else if (region(x + ahead.right_x, y + ahead.right_y) != mine) {
        turned = (heading + 1) % 4;
      }
      if (turned != heading) ring.push_back({x, y});
      heading = turned;
    } while (x != first_x || y != first_y || heading != 0);
    return ring;
  }

  const Prediction& prediction_;
  int height_;
  int width_;
  std::vector<std::int32_t> region_;
  std::vector<std::uint8_t> walked_;  // the pixel's upper edge
  std::vector<Polygon> polygons_;
};

}  // namespace

std::vector<Polygon> trace_polygons(const Prediction& prediction) {
  return Tracer(prediction).trace();
}

}  // namespace plume::unet
