// Regions remember their pixels until they are large enough, or ended.
#include "unet/inference/specks.hpp"

#include <algorithm>
#include <cstddef>
#include <span>

namespace plume::unet {

void SpeckFilter::Region::join(Region&& other) {
  area += other.area;
  first_row = std::min(first_row, other.first_row);
  if (other.pixels.size() > pixels.size()) pixels.swap(other.pixels);
  pixels.insert(pixels.end(), other.pixels.begin(), other.pixels.end());
}

void SpeckFilter::add(Strip strip, const TakeStrip& take) {
  if (least_area_ <= 1) return take(strip);
  held_.push_back(std::move(strip));
  const Prediction& found = held_.back().found;
  const auto width = static_cast<std::size_t>(found.width);
  for (std::size_t first = 0; first < found.labels.size(); first += width, ++next_row_) {
    regions_.connect(std::span(found.labels).subspan(first, width));
    for (const Run& run : regions_.runs()) {
      Region& region = regions_.data(run);
      region.area += run.last - run.first;
      region.first_row = std::min(region.first_row, next_row_);
      if (region.area < least_area_) {
        region.pixels.push_back({next_row_, run.first, run.last});
      } else {
        region.pixels = {};
      }
    }
    regions_.close([this](Region&& region) { remove(region); });
  }
  int undecided = next_row_;
  for (const Run& run : regions_.runs()) {
    const Region& region = regions_.data(run);
    if (region.area < least_area_) undecided = std::min(undecided, region.first_row);
  }
  release(undecided, take);
}

void SpeckFilter::finish(const TakeStrip& take) {
  regions_.connect({});
  regions_.close([this](Region&& region) { remove(region); });
  release(next_row_, take);
}

void SpeckFilter::remove(const Region& region) {
  if (region.area >= least_area_) return;
  for (const Stretch& stretch : region.pixels) {
    int row = stretch.row - held_from_;
    auto strip = held_.begin();
    for (; row >= strip->found.height; ++strip) row -= strip->found.height;
    const auto from = strip->found.labels.begin() + std::ptrdiff_t{row} * strip->found.width;
    std::fill(from + stretch.first, from + stretch.last, std::uint8_t{0});
  }
}

void SpeckFilter::release(int end, const TakeStrip& take) {
  while (!held_.empty() && held_from_ + held_.front().found.height <= end) {
    take(held_.front());
    held_from_ += held_.front().found.height;
    held_.pop_front();
  }
}

}  // namespace plume::unet
