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
  // Pixels that are of the class.
  [[nodiscard]] std::int64_t positives() const { return true_positive + false_negative; }
  // A ratio whose denominator is 0 is 1 where there was nothing to find and nothing was found, else 0.
  [[nodiscard]] double iou() const;
  [[nodiscard]] double dice() const;
  [[nodiscard]] double precision() const;
  [[nodiscard]] double recall() const;
  [[nodiscard]] double accuracy() const;
  // Of what is not of the class; 0 where all is.
  [[nodiscard]] double false_positive_rate() const;
};

// Adds the pixels of one or more images. probability is [pixels, classes] (one class: of label 1, positive where it is
// above the threshold; more: the largest one wins); labels of 255 are left out. counts has one entry per class.
void count_pixels(std::vector<Confusion>& counts, const float* probability, const std::uint8_t* labels,
                  std::int64_t pixels, int classes, float threshold);

// The class that is found at each pixel by the same rule, 0 or 1 where there is one class.
[[nodiscard]] std::vector<std::uint8_t> found_classes(const float* probability, std::int64_t pixels, int classes,
                                                      float threshold);

// Which class was found where which is there: [truth][found], in rows of `classes`; of a binary model there are two,
// background and the other. labels of 255 are left out.
class ConfusionMatrix {
 public:
  // classes: of the model, 1 where it is binary.
  explicit ConfusionMatrix(int classes);
  // As count_pixels.
  void add(const float* probability, const std::uint8_t* labels, std::int64_t pixels, int classes, float threshold);

  [[nodiscard]] int size() const { return size_; }
  [[nodiscard]] std::int64_t at(int truth, int found) const {
    return counts_[static_cast<std::size_t>(truth * size_ + found)];
  }
  // Of "at least this level", where classes are levels of something: smoke of some density or a higher one.
  [[nodiscard]] Confusion at_least(int level) const;

 private:
  int size_;
  std::vector<std::int64_t> counts_;
};

// One of its ratios, as &Confusion::iou.
using Ratio = double (Confusion::*)() const;

// The mean of a ratio over the classes that are not background (class 0 of several), or that of the one class.
[[nodiscard]] double foreground_mean(const std::vector<Confusion>& counts, Ratio ratio);
[[nodiscard]] inline double foreground_iou(const std::vector<Confusion>& counts) {
  return foreground_mean(counts, &Confusion::iou);
}

}  // namespace plume::unet
