// The system's.
#include "cloud/client/clock.hpp"

#include <algorithm>
#include <random>
#include <thread>

namespace plume::cloud {

Clock system_clock() {
  Clock clock;
  clock.now = [] { return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now()); };
  clock.elapsed = [] {
    return std::chrono::floor<std::chrono::milliseconds>(std::chrono::steady_clock::now().time_since_epoch());
  };
  clock.sleep = [](std::chrono::milliseconds time, const std::atomic<bool>* cancelled) {
    constexpr std::chrono::milliseconds glance{50};
    for (; time.count() > 0 && (cancelled == nullptr || !cancelled->load()); time -= glance)
      std::this_thread::sleep_for(std::min(time, glance));
  };
  clock.random = [] {
    thread_local std::random_device
        source;  // the system's: names and tokens that are made of it must not meet another's
    return std::uniform_real_distribution<double>(0, 1)(source);
  };
  return clock;
}

}  // namespace plume::cloud
