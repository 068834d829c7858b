// Removes regions that are too small to mean anything, from an image that comes in strips.
#pragma once

#include <cstdint>
#include <deque>
#include <limits>
#include <utility>
#include <vector>

#include "unet/inference/region_rows.hpp"
#include "unet/inference/strip.hpp"

namespace plume::unet {

// Pixels of one label that share an edge are one region; one of fewer pixels than least_area gets label 0.
// Probabilities stay. Strips are held as long as a region reaches into them that is still too small and may go on.
class SpeckFilter {
 public:
  explicit SpeckFilter(std::int64_t least_area) : least_area_(least_area) {}

  // The next strip; calls take for each that is ready, in their order.
  void add(Strip strip, const TakeStrip& take);
  // After the last.
  void finish(const TakeStrip& take);

 private:
  // Pixels [first, last) of a row, counted from the first strip's first.
  struct Stretch {
    int row = 0;
    int first = 0;
    int last = 0;
  };
  struct Region {
    std::int64_t area = 0;
    int first_row = std::numeric_limits<int>::max();
    std::vector<Stretch> pixels{};  // while it is small
    void join(Region&& other);
  };

  void remove(const Region& region);
  void release(int end, const TakeStrip& take);

  std::int64_t least_area_;
  RegionRows<Region> regions_;
  std::deque<Strip> held_;
  int held_from_ = 0;  // the first held strip's first row
  int next_row_ = 0;
};

}  // namespace plume::unet
