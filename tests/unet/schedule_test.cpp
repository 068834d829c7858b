// Learning-rate curves at their ends and in between.
#include "unet/schedule.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "unet/validation.hpp"

namespace plume::unet {
namespace {

using Kind = ScheduleSettings::Kind;

TEST(ScheduleTest, ConstantRisesOnceAndStays) {
  const ScheduleSettings settings{Kind::constant, 0.1, 0.1, 0};
  EXPECT_NEAR(learning_rate(settings, 0, 100), 0.1 / 11, 1e-12);
  EXPECT_NEAR(learning_rate(settings, 9, 100), 1.0 / 11, 1e-12);
  EXPECT_DOUBLE_EQ(learning_rate(settings, 10, 100), 0.1);
  EXPECT_DOUBLE_EQ(learning_rate(settings, 99, 100), 0.1);
}

TEST(ScheduleTest, CosineFallsToItsFactor) {
  const ScheduleSettings settings{Kind::cosine, 1.0, 0, 0.25};
  EXPECT_DOUBLE_EQ(learning_rate(settings, 0, 101), 1.0);
  EXPECT_NEAR(learning_rate(settings, 50, 101), 0.625, 1e-12);
  EXPECT_NEAR(learning_rate(settings, 100, 101), 0.25, 1e-12);
}

TEST(ScheduleTest, OneCycleRisesFromATwentyFifth) {
  const ScheduleSettings settings{Kind::one_cycle, 1.0, 0.3, 0.01};
  EXPECT_NEAR(learning_rate(settings, 0, 1000), 1.0 / 25, 1e-12);
  EXPECT_NEAR(learning_rate(settings, 150, 1000), (1.0 + 1.0 / 25) / 2, 1e-12);
  EXPECT_NEAR(learning_rate(settings, 300, 1000), 1.0, 1e-12);
  EXPECT_NEAR(learning_rate(settings, 999, 1000), 0.01, 1e-12);
}

// PyTorch's PolynomialLR, without its warm-up.
TEST(ScheduleTest, PolyFallsByItsPower) {
  const ScheduleSettings settings{.kind = Kind::poly, .lr = 1.0, .warmup = 0, .min_factor = 0, .power = 0.9};
  EXPECT_DOUBLE_EQ(learning_rate(settings, 0, 101), 1.0);
  EXPECT_NEAR(learning_rate(settings, 25, 101), std::pow(0.75, 0.9), 1e-12);
  EXPECT_NEAR(learning_rate(settings, 100, 101), 0.0, 1e-12);
  EXPECT_DOUBLE_EQ(learning_rate({.kind = Kind::poly, .lr = 1, .warmup = 0, .min_factor = 0.2}, 100, 101), 0.2);
}

TEST(ScheduleTest, PlateausReduceByTheFactor) {
  const ScheduleSettings settings{
      .kind = Kind::plateau, .lr = 1.0, .warmup = 0.1, .min_factor = 0.1, .factor = 0.5, .patience = 2};
  EXPECT_NEAR(learning_rate(settings, 0, 100, 0), 1.0 / 11, 1e-12);
  EXPECT_DOUBLE_EQ(learning_rate(settings, 50, 100, 0), 1.0);
  EXPECT_DOUBLE_EQ(learning_rate(settings, 50, 100, 2), 0.25);
  EXPECT_DOUBLE_EQ(learning_rate(settings, 50, 100, 9), 0.1);
}

// Two validations without a better one are a plateau; a better one begins the count anew.
TEST(ScheduleTest, ValidationsTellPlateaus) {
  const ScheduleSettings settings{.kind = Kind::plateau, .patience = 2};
  Progress progress;
  const auto reductions = [&](double iou) {
    static_cast<void>(note_validation(progress, iou, settings));
    return progress.reductions;
  };
  EXPECT_EQ(reductions(0.1), 0);
  EXPECT_EQ(reductions(0.1), 0);
  EXPECT_EQ(reductions(0.2), 0);
  EXPECT_EQ(reductions(0.1), 0);
  EXPECT_EQ(reductions(0.1), 1);
  EXPECT_EQ(reductions(0.1), 1);
  EXPECT_EQ(reductions(0.1), 2);
  EXPECT_EQ(progress.validations_since_best, 4);
  EXPECT_DOUBLE_EQ(progress.best_iou, 0.2);
}

TEST(ScheduleTest, SingleStepsAndAllWarmUpAreFinite) {
  for (const Kind kind : {Kind::constant, Kind::cosine, Kind::one_cycle, Kind::poly, Kind::plateau}) {
    for (const double warmup : {0.0, 0.5, 1.0}) {
      const double rate = learning_rate({kind, 1.0, warmup, 0.1}, 0, 1);
      EXPECT_GT(rate, 0) << warmup;
      EXPECT_LE(rate, 1.0) << warmup;
    }
  }
}

}  // namespace
}  // namespace plume::unet
