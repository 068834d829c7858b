// Words that were meant.
#include "kernels/base/nearest_word.hpp"

#include <gtest/gtest.h>

namespace plume {
namespace {

TEST(NearestWord, TakesTheFewestChanges) {
  EXPECT_EQ(nearest_word("trian", {"eval", "train", "predict"}), "train");
  EXPECT_EQ(nearest_word("model.bse", {"model.base", "model.bands"}), "model.base");
}

TEST(NearestWord, IsSuggestedWhereItIsLikely) {
  EXPECT_EQ(suggestion("trian", {"eval", "train"}), "; did you mean train?");
  EXPECT_EQ(suggestion("steps", {"model.up", "train.steps"}), "; did you mean train.steps?");
  EXPECT_EQ(suggestion("foo", {"model.up", "train.steps"}), "");
  EXPECT_EQ(suggestion("lr", {"model.up", "schedule.lr_floor", "optimizer.lr"}), "; did you mean optimizer.lr?");
  EXPECT_EQ(suggestion("flips", {"model.up", "augment.flips_all"}), "; did you mean augment.flips_all?");
  EXPECT_EQ(suggestion("foo", {}), "");
  EXPECT_EQ(suggestion("", {"train"}), "");
}

}  // namespace
}  // namespace plume
