// Time and chance, handed in so that tests need not wait for either.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>

#include "cloud/signing/time.hpp"

namespace plume::cloud {

struct Clock {
  std::function<Time()> now;
  std::function<std::chrono::milliseconds()> elapsed;  // since some moment; nobody sets it back
  // Returns early once `cancelled` is set; nullptr: nobody can.
  std::function<void(std::chrono::milliseconds, const std::atomic<bool>* cancelled)> sleep;
  std::function<double()> random;  // at least 0, less than 1; from any thread
};

[[nodiscard]] Clock system_clock();

}  // namespace plume::cloud
