// The scenes that were read last, left open: their files' headers are read once, and chunks that were inflated serve the
// rows of tiles that follow.
#pragma once

#include <memory>
#include <mutex>
#include <set>
#include <thread>

#include "data/abi/scene_reader.hpp"
#include "data/shared_cache.hpp"

namespace plume::data::abi {

class OpenScenes {
 public:
  // The reader of scene `number`; opens it where it is not held, as SceneReader's constructor, and lets the one go that
  // was opened first where there is one more than threads that ask. Thread-safe, and so is what the reader offers.
  [[nodiscard]] std::shared_ptr<const SceneReader> of(int number, const Scene& scene, const SceneOptions& options) {
    return readers_.of(number, threads() + 1, [&] { return std::make_shared<const SceneReader>(scene, options); })
        .get();
  }

 private:
  // That have asked, this one among them.
  [[nodiscard]] std::size_t threads() {
    const std::lock_guard lock(mutex_);
    threads_.insert(std::this_thread::get_id());
    return threads_.size();
  }

  std::mutex mutex_;  // guards threads_
  std::set<std::thread::id> threads_;
  SharedCache<int, std::shared_ptr<const SceneReader>> readers_;
};

}  // namespace plume::data::abi
