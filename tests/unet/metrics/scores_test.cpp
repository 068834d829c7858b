// Curves over thresholds, by hand (sklearn_test.cpp has them as scikit-learn does).
#include "unet/metrics/scores.hpp"

#include <gtest/gtest.h>

#include <array>
#include <limits>
#include <vector>

namespace plume::unet {
namespace {

Scores scores_of(const std::vector<float>& probability, const std::vector<std::uint8_t>& labels) {
  Scores scores;
  scores.add(probability.data(), labels.data(), static_cast<std::int64_t>(labels.size()), 1, 0, 1);
  return scores;
}

TEST(ScoresTest, CurveByHand) {
  const Scores scores = scores_of({1.0F, 0.8F, 0.8F, 0.2F, 0.0F, 0.9F}, {1, 1, 0, 1, 0, 255});
  EXPECT_EQ(scores.positives(), 3);
  EXPECT_EQ(scores.negatives(), 2);
  const auto curve = scores.curve();
  ASSERT_EQ(curve.size(), 4U);  // one of two pixels; what is ignored has none
  EXPECT_DOUBLE_EQ(curve[1].precision, 2.0 / 3);
  EXPECT_DOUBLE_EQ(curve[1].recall, 2.0 / 3);
  EXPECT_DOUBLE_EQ(curve[1].false_positive_rate, 0.5);
  EXPECT_DOUBLE_EQ(scores.average_precision(), (1.0 + 2.0 / 3 + 3.0 / 4) / 3);
  EXPECT_NEAR(scores.best_iou().threshold, 0.2, 1e-5);
  EXPECT_DOUBLE_EQ(scores.best_iou().iou, 0.75);
}

TEST(ScoresTest, OneClassOfSeveral) {
  constexpr std::array<float, 6> probability{0.7F, 0.2F, 0.1F, 0.1F, 0.3F, 0.6F};
  constexpr std::array<std::uint8_t, 2> labels{0, 2};
  Scores scores;
  scores.add(probability.data(), labels.data(), 2, 3, 2, 2);
  EXPECT_DOUBLE_EQ(scores.roc_area(), 1);
}

TEST(ScoresTest, PartsAddUpToTheWhole) {
  const std::vector<float> probability{0.1F, 0.9F, 0.4F, 0.6F};
  const std::vector<std::uint8_t> labels{0, 1, 1, 0};
  Scores parts = scores_of({probability.begin(), probability.begin() + 1}, {labels.begin(), labels.begin() + 1});
  parts += scores_of({probability.begin() + 1, probability.end()}, {labels.begin() + 1, labels.end()});
  const Scores whole = scores_of(probability, labels);
  EXPECT_EQ(parts.average_precision(), whole.average_precision());
  EXPECT_EQ(parts.roc_area(), whole.roc_area());
  EXPECT_EQ(parts.calibration_error(), whole.calibration_error());
}

TEST(ScoresTest, NothingGivesNoNaN) {
  const Scores none;
  EXPECT_EQ(none.average_precision(), 0);
  EXPECT_EQ(none.roc_area(), 0);
  EXPECT_EQ(none.brier(), 0);
  EXPECT_EQ(none.calibration_error(), 0);
  EXPECT_EQ(none.best_iou().threshold, 0.5);
  EXPECT_EQ(scores_of({0.5F}, {0}).average_precision(), 0);
}

TEST(ScoresTest, ABorderBelongsToTheBinBelow) {
  const auto bins = scores_of({0.0F, 0.2F, 0.4F, 1.0F}, {0, 0, 1, 1}).reliability(5);
  EXPECT_EQ(bins[0].count, 2);
  EXPECT_EQ(bins[1].count, 1);
  EXPECT_EQ(bins[4].count, 1);
}

// Whoever takes the best threshold and compares probabilities gets the best IoU.
TEST(ScoresTest, TheBestThresholdIsOneToUse) {
  const std::vector<float> probability{0.9F, 0.7F, 0.7F, 0.3F, 0.1F};
  const std::vector<std::uint8_t> labels{1, 1, 0, 1, 0};
  const Scores scores = scores_of(probability, labels);
  const Scores::Best best = scores.best_iou();
  EXPECT_DOUBLE_EQ(scores.above(best.threshold).iou(), best.iou);
  std::vector<Confusion> counts(1);
  count_pixels(counts, probability.data(), labels.data(), 5, 1, static_cast<float>(best.threshold));
  EXPECT_DOUBLE_EQ(counts[0].iou(), best.iou);
  EXPECT_DOUBLE_EQ(best.iou, 0.75);
}

TEST(ScoresTest, AboveAThresholdIsAsCounted) {
  const Scores scores = scores_of({0.9F, 0.5F, 0.2F, 0.6F}, {1, 1, 0, 0});
  EXPECT_EQ(scores.above(0.55).true_positive, 1);
  EXPECT_EQ(scores.above(0.55).false_positive, 1);
  EXPECT_EQ(scores.above(0.55).false_negative, 1);
  EXPECT_EQ(scores.above(0.55).true_negative, 1);
  EXPECT_EQ(scores.above(0).positives(), 2);
}

// A network that diverged gives such.
TEST(ScoresTest, WhatIsNoNumberIsNotFound) {
  const Scores scores = scores_of({std::numeric_limits<float>::quiet_NaN(), 0.5F}, {1, 1});
  EXPECT_EQ(scores.above(0.1).true_positive, 1);
}

}  // namespace
}  // namespace plume::unet
