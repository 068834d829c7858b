// Memory that several holders share.
#include "unet/serve/budget.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace plume::serve {
namespace {

TEST(Budget, IsNotExceededUnlessForced) {
  Budget budget(100);
  Share one(budget);
  Share other(budget);
  EXPECT_TRUE(one.grow(60));
  EXPECT_FALSE(other.grow(41));
  EXPECT_TRUE(other.grow(40));
  EXPECT_FALSE(other.grow(1));
  other.force(10);
  EXPECT_EQ(budget.used(), 110);
  EXPECT_FALSE(one.grow(1));
  other.clear();
  EXPECT_TRUE(one.grow(40));
  EXPECT_FALSE(one.grow(std::numeric_limits<std::size_t>::max()));
}

TEST(Budget, GetsBackWhatAShareHadOnce) {
  Budget budget(100);
  {
    Share one(budget);
    EXPECT_TRUE(one.grow(60));
    Share moved(std::move(one));
    EXPECT_EQ(budget.used(), 60);
    Share assigned(budget);
    EXPECT_TRUE(assigned.grow(10));
    assigned = std::move(moved);
    EXPECT_EQ(budget.used(), 70);
  }
  EXPECT_EQ(budget.used(), 0);
}

}  // namespace
}  // namespace plume::serve
