// Boundary F1 against borders that can be counted by hand.
#include "unet/metrics/boundary.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace plume::unet {
namespace {

constexpr int edge = 10;

// A filled square in an image of 10 x 10.
std::vector<std::uint8_t> square(int top, int left, int side) {
  std::vector<std::uint8_t> mask(edge * edge);
  for (int y = top; y < top + side; ++y) {
    for (int x = left; x < left + side; ++x) mask[static_cast<std::size_t>(y * edge + x)] = 1;
  }
  return mask;
}

BoundaryCounts count(const std::vector<std::uint8_t>& found, const std::vector<std::uint8_t>& truth, double tolerance) {
  return count_boundary(found, truth, edge, edge, tolerance);
}

TEST(BoundaryTest, TheSameBordersAreAllRight) {
  const auto mask = square(2, 3, 4);
  const BoundaryCounts counts = count(mask, mask, 0);
  EXPECT_EQ(counts.found, 12);  // the ring of a 4 x 4 square
  EXPECT_EQ(counts.truth, 12);
  EXPECT_DOUBLE_EQ(counts.f1(), 1);
}

TEST(BoundaryTest, TheImagesEdgeIsNoBorder) {
  EXPECT_EQ(count(square(0, 0, edge), square(0, 0, edge), 1).found, 0);
  EXPECT_EQ(count(square(0, 0, 4), square(0, 0, 4), 1).found, 7);  // its right and lower sides
}

TEST(BoundaryTest, AShiftIsForgivenWithinTheTolerance) {
  const auto found = square(2, 3, 4);
  const auto truth = square(2, 4, 4);  // one to the right
  EXPECT_DOUBLE_EQ(count(found, truth, 1).f1(), 1);
  const BoundaryCounts strict = count(found, truth, 0);
  // Of the upper and lower sides three pixels each lie on the other's; the left and right sides' inner two do not.
  EXPECT_EQ(strict.found_right, 6);
  EXPECT_EQ(strict.truth_found, 6);
  EXPECT_DOUBLE_EQ(strict.f1(), 0.5);
}

TEST(BoundaryTest, TheToleranceIsADisc) {
  std::vector<std::uint8_t> found(edge * edge), truth(edge * edge);
  found[4 * edge + 4] = 1;
  truth[5 * edge + 5] = 1;  // sqrt(2) away
  EXPECT_DOUBLE_EQ(count(found, truth, 1).f1(), 0);
  EXPECT_DOUBLE_EQ(count(found, truth, 1.5).f1(), 1);
}

TEST(BoundaryTest, NothingToFindAndNothingFoundIsRight) {
  const std::vector<std::uint8_t> none(edge * edge);
  EXPECT_DOUBLE_EQ(count(none, none, 1).f1(), 1);
  EXPECT_DOUBLE_EQ(count(square(2, 2, 3), none, 1).f1(), 0);
  EXPECT_DOUBLE_EQ(count(none, square(2, 2, 3), 1).f1(), 0);
}

TEST(BoundaryTest, ImagesAddUp) {
  BoundaryCounts sum = count(square(2, 3, 4), square(2, 4, 4), 0);
  sum += count(square(2, 3, 4), square(2, 3, 4), 0);
  EXPECT_EQ(sum.found, 24);
  EXPECT_EQ(sum.found_right, 18);
  EXPECT_DOUBLE_EQ(sum.precision(), 0.75);
}

}  // namespace
}  // namespace plume::unet
