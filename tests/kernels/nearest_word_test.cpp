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
  EXPECT_EQ(suggestion("foo", {}), "");
}

}  // namespace
}  // namespace plume
