// Work beside the thread that computes: reading and writing files.
#pragma once

#include <functional>
#include <future>
#include <utility>

namespace plume::unet {

// One piece of work at a time. What it throws is thrown by the call that follows; its end is waited for by the
// destructor.
class Background {
 public:
  void run(std::function<void()> work) {
    wait();
    running_ = std::async(std::launch::async, std::move(work));
  }
  void wait() {
    if (running_.valid()) running_.get();
  }

 private:
  std::future<void> running_;
};

}  // namespace plume::unet
