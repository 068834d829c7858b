// The line on a terminal, wide and narrow.
#include "unet/progress_line.hpp"

#include <gtest/gtest.h>

namespace plume::unet {
namespace {

TrainProgress half_way() {
  return {500, 1000, 38, 0.33664, 0.5316, 2767.04, 0.034, 0.0058};
}

TEST(ProgressLine, SaysAllWhereThereIsRoom) {
  EXPECT_EQ(progress_line(half_way(), 120),
            "[=====     ] 500/1000  epoch 38  loss 0.3366  IoU 0.5316  2767.0 images/s  data wait 3 %  ETA 0m03s");
}

TEST(ProgressLine, LeavesOutWhatMattersLeast) {
  EXPECT_EQ(progress_line(half_way(), 80),
            "[=====     ] 500/1000  loss 0.3366  IoU 0.5316  2767.0 images/s  ETA 0m03s");
  EXPECT_EQ(progress_line(half_way(), 50), "500/1000  loss 0.3366  IoU 0.5316  ETA 0m03s");
  EXPECT_EQ(progress_line(half_way(), 10), "500/1000  loss 0.3366  ETA 0m03s");
  for (int columns = 35; columns < 130; ++columns)
    EXPECT_LT(progress_line(half_way(), columns).size(), static_cast<std::size_t>(columns));
}

TEST(ProgressLine, SaysNothingOfAValidationBeforeTheFirst) {
  TrainProgress progress = half_way();
  progress.iou.reset();
  progress.seconds_per_step = 100;
  EXPECT_EQ(progress_line(progress, 120),
            "[=====     ] 500/1000  epoch 38  loss 0.3366  2767.0 images/s  data wait 3 %  ETA 13h53m");
}

TEST(ProgressLine, TakesATrainingOfNoStepsAndOneBeyondItsEnd) {
  EXPECT_EQ(progress_line({}, 120), "[          ] 0/0  epoch 0  loss 0.0000  0.0 images/s  data wait 0 %  ETA 0m00s");
  EXPECT_EQ(progress_line({12, 10, 1, 0, {}, 0, 0, 0}, 120).substr(0, 12), "[==========]");
}

}  // namespace
}  // namespace plume::unet
