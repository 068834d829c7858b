// Connected regions of one label, found while rows of labels come one by one. Two rows are kept, so that regions can be
// found in an image that is never in memory as a whole.
// Source: Rosenfeld and Pfaltz, "Sequential operations in digital picture processing", 1966, with runs for pixels.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace plume::unet {

// Pixels [first, last) of a row that have one label other than 0.
struct Run {
  int first = 0;
  int last = 0;
  std::uint8_t label = 0;
  std::size_t region = 0;
};

// Calls visit(a run, one of the same label beside it) for all pixels that runs of two rows share. Both are in order.
template <class Runs, class Visit>
void for_each_overlap(Runs& runs, std::span<const Run> others, const Visit& visit) {
  auto first = others.begin();
  for (auto& run : runs) {
    while (first != others.end() && first->last <= run.first) ++first;
    for (auto other = first; other != others.end() && other->first < run.last; ++other) {
      if (other->label == run.label) visit(run, *other);
    }
  }
}

// Pixels of one label that share an edge are one region; label 0 is none. Data is what the caller gathers of a region:
// made by its default constructor, and joined by `void join(Data&&)` where two regions turn out to be one.
// Usage, for each row: connect(); gather data() of runs() and above(); close().
template <class Data>
class RegionRows {
 public:
  // The next row; an empty one is below the last.
  void connect(std::span<const std::uint8_t> labels) {
    above_.swap(runs_);
    runs_.clear();
    const int width = static_cast<int>(labels.size());
    for (int x = 0; x < width;) {
      const std::uint8_t label = labels[static_cast<std::size_t>(x)];
      int end = x + 1;
      while (end < width && labels[static_cast<std::size_t>(end)] == label) ++end;
      if (label != 0) runs_.push_back({x, end, label, none});
      x = end;
    }
    for_each_overlap(runs_, above_, [&](Run& run, const Run& other) {
      run.region = run.region == none ? root(other.region) : join(root(run.region), root(other.region));
    });
    for (Run& run : runs_) {
      if (run.region == none) run.region = new_region();
    }
  }

  [[nodiscard]] std::span<const Run> runs() const { return runs_; }
  // The row before; not after close().
  [[nodiscard]] std::span<const Run> above() const { return above_; }
  [[nodiscard]] Data& data(const Run& run) { return regions_[root(run.region)].data; }

  // Calls closed(Data&&) for each region that ended in the row before.
  template <class Closed>
  void close(const Closed& closed) {
    for (Run& run : runs_) regions_[run.region = root(run.region)].goes_on = true;
    for (const Run& run : above_) {
      const std::size_t region = root(run.region);
      if (std::exchange(regions_[region].goes_on, true)) continue;
      closed(std::move(regions_[region].data));
      free_.push_back(region);
    }
    for (const Run& run : runs_) regions_[run.region].goes_on = false;
    free_.insert(free_.end(), joined_.begin(), joined_.end());
    joined_.clear();
    above_.clear();
  }

 private:
  static constexpr std::size_t none = static_cast<std::size_t>(-1);

  struct Region {
    std::size_t parent = none;  // itself where it was not joined to another
    bool goes_on = false;
    Data data{};
  };

  [[nodiscard]] std::size_t root(std::size_t region) {
    while (regions_[region].parent != region)
      region = regions_[region].parent = regions_[regions_[region].parent].parent;
    return region;
  }

  [[nodiscard]] std::size_t join(std::size_t region, std::size_t other) {
    if (region == other) return region;
    regions_[region].data.join(std::move(regions_[other].data));
    regions_[other].parent = region;
    joined_.push_back(other);
    return region;
  }

  [[nodiscard]] std::size_t new_region() {
    if (free_.empty()) {
      free_.push_back(regions_.size());
      regions_.emplace_back();
    }
    const std::size_t region = free_.back();
    free_.pop_back();
    regions_[region] = Region{.parent = region};
    return region;
  }

  std::vector<Run> runs_;
  std::vector<Run> above_;
  std::vector<Region> regions_;
  std::vector<std::size_t> joined_;  // since the last close(): still named by runs
  std::vector<std::size_t> free_;    // places of regions that are no more
};

}  // namespace plume::unet
