// Learning-rate curves at their ends and in between.
#include "unet/schedule.hpp"

#include <gtest/gtest.h>

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

TEST(ScheduleTest, SingleStepsAndAllWarmUpAreFinite) {
  for (const Kind kind : {Kind::constant, Kind::cosine, Kind::one_cycle}) {
    for (const double warmup : {0.0, 0.5, 1.0}) {
      const double rate = learning_rate({kind, 1.0, warmup, 0.1}, 0, 1);
      EXPECT_GT(rate, 0) << warmup;
      EXPECT_LE(rate, 1.0) << warmup;
    }
  }
}

}  // namespace
}  // namespace plume::unet
