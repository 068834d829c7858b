// The text that Prometheus reads.
#include "unet/serve/histogram.hpp"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace plume::serve {
namespace {

constexpr std::array<double, 3> bounds{0.5, 1, 10};

TEST(Histogram, BucketsAreCumulative) {
  Histogram histogram(bounds);
  for (const double value : {0.25, 0.5, 0.75, 2.0, 2.0, 100.0}) histogram.observe(value);
  EXPECT_EQ(histogram.text("x"),
            "x_bucket{le=\"0.5\"} 2\n"
            "x_bucket{le=\"1\"} 3\n"
            "x_bucket{le=\"10\"} 5\n"
            "x_bucket{le=\"+Inf\"} 6\n"
            "x_sum 105.5\n"
            "x_count 6\n");
}

TEST(Histogram, LabelsStandOnEveryLine) {
  Histogram histogram(std::span<const double>(bounds).first(1));
  histogram.observe(1);
  EXPECT_EQ(histogram.text("x", "stage=\"queue\""),
            "x_bucket{stage=\"queue\",le=\"0.5\"} 0\n"
            "x_bucket{stage=\"queue\",le=\"+Inf\"} 1\n"
            "x_sum{stage=\"queue\"} 1\n"
            "x_count{stage=\"queue\"} 1\n");
}

TEST(Histogram, LosesNothingWhereSeveralThreadsCount) {
  Histogram histogram(bounds);
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int k = 0; k < 10'000; ++k) histogram.observe(0.25);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_NE(histogram.text("x").find("x_sum 10000\nx_count 40000\n"), std::string::npos) << histogram.text("x");
}

}  // namespace
}  // namespace plume::serve
