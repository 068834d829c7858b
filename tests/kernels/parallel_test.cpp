// Shared work: every task once, and an exception in one reaches the caller instead of ending the program.
#include "kernels/cpu/parallel.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <new>
#include <vector>

namespace plume::kernels {
namespace {

TEST(ParallelTest, RunsEveryTaskOnce) {
  for (const int threads : {1, 2, 3}) {
    CpuStream stream(threads);
    std::vector<std::atomic<int>> runs(1000);
    parallel_tasks(stream, 1000, [&](std::ptrdiff_t task, int thread) {
      ++runs[static_cast<std::size_t>(task)];
      EXPECT_LT(thread, threads);
    });
    for (const auto& count : runs) EXPECT_EQ(count, 1);
  }
}

TEST(ParallelTest, RethrowsTheFirstException) {
  for (const int threads : {1, 2, 3}) {
    CpuStream stream(threads);
    const auto run = [&] {
      parallel_tasks(stream, 100, [](std::ptrdiff_t task, int) {
        if (task >= 10) throw std::bad_alloc();
      });
    };
    EXPECT_THROW(run(), std::bad_alloc);
    EXPECT_THROW(run(), std::bad_alloc);  // and the stream is as good as before
  }
}

TEST(ParallelTest, RangesCoverAllElements) {
  CpuStream stream(2);
  for (const std::ptrdiff_t count : {0, 1, 7, 64, 65}) {
    std::atomic<std::ptrdiff_t> covered{0};
    parallel_ranges(stream, count, 16, [&](std::ptrdiff_t first, std::ptrdiff_t last) { covered += last - first; });
    EXPECT_EQ(covered, count);
  }
}

}  // namespace
}  // namespace plume::kernels
