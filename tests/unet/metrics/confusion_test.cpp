// Confusion counts against counting by hand.
#include "unet/metrics/confusion.hpp"

#include <gtest/gtest.h>

#include <array>

namespace plume::unet {
namespace {

TEST(MetricsTest, BinaryCountsAndRatios) {
  constexpr std::array<float, 7> probability{0.9F, 0.6F, 0.5F, 0.2F, 0.7F, 0.1F, 0.99F};
  constexpr std::array<std::uint8_t, 7> labels{1, 0, 1, 0, 1, 1, 255};
  std::vector<Confusion> counts(1);
  count_pixels(counts, probability.data(), labels.data(), 7, 1, 0.5F);  // 0.5 is not above the threshold
  EXPECT_EQ(counts[0].true_positive, 2);
  EXPECT_EQ(counts[0].false_positive, 1);
  EXPECT_EQ(counts[0].false_negative, 2);
  EXPECT_EQ(counts[0].true_negative, 1);
  EXPECT_DOUBLE_EQ(counts[0].iou(), 2.0 / 5);
  EXPECT_DOUBLE_EQ(counts[0].dice(), 4.0 / 7);
  EXPECT_DOUBLE_EQ(counts[0].precision(), 2.0 / 3);
  EXPECT_DOUBLE_EQ(counts[0].recall(), 0.5);
  EXPECT_DOUBLE_EQ(counts[0].accuracy(), 0.5);
}

TEST(MetricsTest, SeveralClassesTakeTheLargest) {
  constexpr std::array<float, 9> probability{0.2F, 0.5F, 0.3F, 0.1F, 0.2F, 0.7F, 0.6F, 0.3F, 0.1F};
  constexpr std::array<std::uint8_t, 3> labels{1, 1, 0};
  std::vector<Confusion> counts(3);
  count_pixels(counts, probability.data(), labels.data(), 3, 3, 0.5F);
  EXPECT_DOUBLE_EQ(counts[0].iou(), 1.0);
  EXPECT_DOUBLE_EQ(counts[1].iou(), 0.5);
  EXPECT_DOUBLE_EQ(counts[2].iou(), 0.0);
  EXPECT_DOUBLE_EQ(foreground_iou(counts), 0.25);  // background is left out
}

TEST(MetricsTest, SumsOverBatchesAreThoseOfTheWhole) {
  constexpr std::array<float, 6> probability{0.9F, 0.1F, 0.8F, 0.3F, 0.6F, 0.7F};
  constexpr std::array<std::uint8_t, 6> labels{1, 1, 0, 0, 1, 0};
  std::vector<Confusion> whole(1);
  count_pixels(whole, probability.data(), labels.data(), 6, 1, 0.5F);
  std::vector<Confusion> parts(1);
  count_pixels(parts, probability.data(), labels.data(), 1, 1, 0.5F);
  count_pixels(parts, probability.data() + 1, labels.data() + 1, 5, 1, 0.5F);
  EXPECT_DOUBLE_EQ(whole[0].iou(), parts[0].iou());
}

TEST(MetricsTest, NothingToFindAndNothingFoundIsRight) {
  const Confusion none{0, 0, 0, 10};
  EXPECT_DOUBLE_EQ(none.iou(), 1.0);
  EXPECT_DOUBLE_EQ(none.precision(), 1.0);
  EXPECT_DOUBLE_EQ(none.recall(), 1.0);
  const Confusion missed{0, 0, 3, 7};
  EXPECT_DOUBLE_EQ(missed.iou(), 0.0);
  EXPECT_DOUBLE_EQ(missed.precision(), 0.0);
  const Confusion invented{0, 3, 0, 7};
  EXPECT_DOUBLE_EQ(invented.recall(), 0.0);
}

}  // namespace
}  // namespace plume::unet
