// Counts of right and wrong pixels, from which every segmentation metric follows exactly: sums, no mean of means.
#pragma once

#include <cstdint>
#include <vector>

namespace plume::unet {

// Of one class, over any number of images.
struct Confusion {
  std::int64_t true_positive = 0;
  std::int64_t false_positive = 0;
  std::int64_t false_negative = 0;
  std::int64_t true_negative = 0;

  Confusion& operator+=(const Confusion& other);
  // A ratio whose denominator is 0 is 1 where there was nothing to find and nothing was found, else 0.
  [[nodiscard]] double iou() const;
  [[nodiscard]] double dice() const;
  [[nodiscard]] double precision() const;
  [[nodiscard]] double recall() const;
  [[nodiscard]] double accuracy() const;
};

// Adds the pixels of one or more images. probability is [pixels, classes] (one class: of label 1, positive where it is
// above the threshold; more: the largest one wins); labels of 255 are left out. counts has one entry per class.
void count_pixels(std::vector<Confusion>& counts, const float* probability, const std::uint8_t* labels,
                  std::int64_t pixels, int classes, float threshold);

// The mean IoU over the classes that are not background (class 0 of several), or of the one class.
[[nodiscard]] double foreground_iou(const std::vector<Confusion>& counts);

}  // namespace plume::unet
