// Batches prepared ahead of their use by a few threads.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "data/batch.hpp"
#include "data/sampling.hpp"
#include "data/shard.hpp"

namespace plume::data {

// The batches of Sampler in order, epoch after epoch. Their content does not depend on threads or depth.
// next(), seek() and recycle() are for one consumer at a time; the shard must outlive the loader.
class Loader {
 public:
  // mean and std: [bands], of values, empty for 0 and 1. threads: workers, >= 1. depth: batches held ready, >= 1.
  // Throws as Sampler; usage_error for a mean or std of another length.
  Loader(const Shard& shard, const Sampling& sampling, const std::vector<float>& mean, const std::vector<float>& std,
         int threads, int depth);
  ~Loader();  // waits for at most the batch that each worker is in
  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;

  [[nodiscard]] std::int64_t steps_per_epoch() const noexcept;

  // The next batch; rethrows what the worker threw that was to make it.
  [[nodiscard]] Batch next();

  // Makes (epoch, batch) the next one. Throws usage_error where it is not 0 <= batch < steps_per_epoch().
  void seek(std::int64_t epoch, std::int64_t batch);

  // Gives a batch's memory back for a later one.
  void recycle(Batch&& batch);

 private:
  class Queue;
  std::unique_ptr<Queue> queue_;
};

}  // namespace plume::data
