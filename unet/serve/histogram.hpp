// Counts of values by size, as Prometheus keeps them: cumulative buckets, a sum and a count.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace plume::serve {

// Safe to use from several threads; a reader may see a value in a bucket before it is in the sum.
class Histogram {
 public:
  // The bounds' upper ends, ascending, at most most_bounds of them; they must outlive the histogram.
  explicit Histogram(std::span<const double> bounds) : bounds_(bounds) {}

  void observe(double value) noexcept {
    std::size_t bucket = 0;
    while (bucket < bounds_.size() && value > bounds_[bucket]) ++bucket;
    counts_[bucket].fetch_add(1, std::memory_order_relaxed);
    sum_.fetch_add(value, std::memory_order_relaxed);
  }

  // Lines of the exposition format under the metric's name, with `labels` ("stage=\"queue\"", or none) on each.
  [[nodiscard]] std::string text(std::string_view name, std::string_view labels = {}) const;

  static constexpr std::size_t most_bounds = 16;

 private:
  std::span<const double> bounds_;
  std::array<std::atomic<std::uint64_t>, most_bounds + 1> counts_{};
  std::atomic<double> sum_{0};
};

inline constexpr std::array<double, 15> second_bounds{0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,
                                                      0.25,   0.5,   1,      2.5,   5,    10,    30};
inline constexpr std::array<double, 8> batch_bounds{1, 2, 4, 8, 16, 32, 64, 128};

}  // namespace plume::serve
