// How well the borders of what was found lie on those of what is there: boundary F1 (Csurka et al., "What is a good
// evaluation measure for semantic segmentation?", BMVC 2013), as sums over images.
#pragma once

#include <cstdint>
#include <span>

namespace plume::unet {

// Of one class. Border pixels are those of the class that have a pixel of another beside them (four neighbours; beyond
// the image is no other).
struct BoundaryCounts {
  std::int64_t found = 0;        // border pixels of what was found
  std::int64_t found_right = 0;  // those no further than the tolerance from one of the truth's
  std::int64_t truth = 0;
  std::int64_t truth_found = 0;

  BoundaryCounts& operator+=(const BoundaryCounts& other);
  // As Confusion's: 1 where there was nothing to find and nothing was found.
  [[nodiscard]] double precision() const;
  [[nodiscard]] double recall() const;
  [[nodiscard]] double f1() const;
};

// Of one image of height x width; found and truth are not 0 where the class is. tolerance: in pixels, between centres.
[[nodiscard]] BoundaryCounts count_boundary(std::span<const std::uint8_t> found, std::span<const std::uint8_t> truth,
                                            int height, int width, double tolerance);

}  // namespace plume::unet
