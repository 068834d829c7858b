// The scenes that were read last, left open: their files' headers are read once, and NetCDF keeps the parts that it
// inflated for the rows of tiles that follow.
#pragma once

#include <deque>
#include <memory>
#include <mutex>
#include <utility>

#include "data/abi/scene_reader.hpp"

namespace plume::data::abi {

class OpenScenes {
 public:
  explicit OpenScenes(std::size_t most) : most_(most) {}

  // The reader of scene `number`; opens it where it is not held, as SceneReader's constructor, and lets the one go that
  // was opened first. Thread-safe, and so is what the reader offers.
  [[nodiscard]] std::shared_ptr<const SceneReader> of(int number, const Scene& scene, const SceneOptions& options) {
    const std::lock_guard lock(mutex_);
    for (const auto& [held, reader] : readers_) {
      if (held == number) return reader;
    }
    auto reader = std::make_shared<const SceneReader>(scene, options);
    if (readers_.size() == most_) readers_.pop_front();
    return readers_.emplace_back(number, std::move(reader)).second;
  }

 private:
  std::size_t most_;
  std::mutex mutex_;  // guards readers_
  std::deque<std::pair<int, std::shared_ptr<const SceneReader>>> readers_;
};

}  // namespace plume::data::abi
