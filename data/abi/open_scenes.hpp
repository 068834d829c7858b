// The scenes that were read last, left open: their files' headers are read once, and chunks that were inflated serve the
// rows of tiles that follow.
#pragma once

#include <deque>
#include <memory>
#include <mutex>
#include <set>
#include <thread>
#include <utility>

#include "data/abi/scene_reader.hpp"

namespace plume::data::abi {

class OpenScenes {
 public:
  // The reader of scene `number`; opens it where it is not held, as SceneReader's constructor, and lets the one go that
  // was opened first where there is one more than threads that ask. Thread-safe, and so is what the reader offers.
  [[nodiscard]] std::shared_ptr<const SceneReader> of(int number, const Scene& scene, const SceneOptions& options) {
    const std::lock_guard lock(mutex_);
    threads_.insert(std::this_thread::get_id());
    for (const auto& [held, reader] : readers_) {
      if (held == number) return reader;
    }
    auto reader = std::make_shared<const SceneReader>(scene, options);
    if (readers_.size() > threads_.size()) readers_.pop_front();
    return readers_.emplace_back(number, std::move(reader)).second;
  }

 private:
  std::mutex mutex_;  // guards what follows
  std::set<std::thread::id> threads_;
  std::deque<std::pair<int, std::shared_ptr<const SceneReader>>> readers_;
};

}  // namespace plume::data::abi
