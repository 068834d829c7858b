// A clock that a test sets: sleeping takes no time, and chance is always the same.
#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "cloud/client/clock.hpp"

namespace plume::tests {

struct TestClock {
  explicit TestClock(cloud::Time start = *cloud::parse_time("2021-09-20T21:43:31Z")) : time(start) {}

  cloud::Time time;
  std::chrono::milliseconds elapsed{0};
  std::vector<std::chrono::milliseconds> slept;
  double chance = 0.5;

  // Of this, which must outlive it.
  [[nodiscard]] cloud::Clock clock() {
    cloud::Clock clock;
    clock.now = [this] { return time; };
    clock.elapsed = [this] { return elapsed; };
    clock.sleep = [this](std::chrono::milliseconds duration, const std::atomic<bool>*) {
      const std::lock_guard lock(mutex_);
      slept.push_back(duration);
      elapsed += duration;
    };
    clock.random = [this] { return chance; };
    return clock;
  }

 private:
  std::mutex mutex_;
};

}  // namespace plume::tests
