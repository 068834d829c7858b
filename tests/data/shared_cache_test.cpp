// Values shared by threads: made once, let go in order, errors included.
#include "data/shared_cache.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>
#include <thread>
#include <vector>

namespace plume::tests {
namespace {

TEST(SharedCache, MakesAgainOnlyWhatWasLetGo) {
  data::SharedCache<int, int> squares;
  int made = 0;
  const auto square = [&](int key) { return squares.of(key, 2, [&] { return ++made, key * key; }).get(); };
  EXPECT_EQ(square(3), 9);
  EXPECT_EQ(square(4), 16);
  EXPECT_EQ(square(3), 9);
  EXPECT_EQ(made, 2);
  EXPECT_EQ(square(5), 25);  // 3 was wanted before 4
  EXPECT_EQ(square(4), 16);
  EXPECT_EQ(made, 3);
  EXPECT_EQ(square(3), 9);
  EXPECT_EQ(made, 4);
}

TEST(SharedCache, WhatIsLetGoLivesForWhoHasIt) {
  data::SharedCache<int, std::vector<int>> cache;
  const auto one = cache.of(1, 1, [] { return std::vector{1, 2, 3}; });
  (void)cache.of(2, 1, [] { return std::vector<int>(); });
  EXPECT_EQ(one.get(), (std::vector{1, 2, 3}));
}

TEST(SharedCache, AnErrorIsGivenToAll) {
  data::SharedCache<int, int> cache;
  int made = 0;
  for (int i = 0; i < 2; ++i) {
    EXPECT_THROW((void)cache.of(1, 1, [&]() -> int { throw std::runtime_error(std::to_string(++made)); }).get(),
                 std::runtime_error);
  }
  EXPECT_EQ(made, 1);
}

TEST(SharedCache, ThreadsWaitForTheOneThatMakes) {
  data::SharedCache<int, int> cache;
  std::atomic<int> made = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 8; ++i) {
      threads.emplace_back([&] {
        for (int key = 0; key < 100; ++key) EXPECT_EQ(cache.of(key, 100, [&] { return ++made, key; }).get(), key);
      });
    }
  }
  EXPECT_EQ(made, 100);
}

}  // namespace
}  // namespace plume::tests
