// A bounded ring between worker threads, which claim batches in order, and the one consumer, which takes them in order.
#include "data/loading/loader.hpp"

#include <condition_variable>
#include <exception>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "data/loading/mosaic.hpp"
#include "kernels/base/error.hpp"

namespace plume::data {

class Loader::Queue {
 public:
  Queue(const Shard& shard, const Sampling& sampling, const std::vector<float>& mean, const std::vector<float>& std,
        int threads, int depth)
      : shard_(shard), sampler_(shard, sampling) {
    const auto bands = static_cast<std::size_t>(shard.info().bands);
    if ((!mean.empty() && mean.size() != bands) || (!std.empty() && std.size() != bands))
      throw usage_error("mean has {} and std {} values for {} bands", mean.size(), std.size(), bands);
    normalisation_ = normalisation_of_raw(shard.info(), mean, std);
    if (threads < 1 || depth < 1)
      throw usage_error("the loader needs at least 1 thread and depth 1, not {} and {}", threads, depth);
    ring_.resize(static_cast<std::size_t>(depth));
    try {
      for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { work(); });
    } catch (...) {
      stop();
      throw;
    }
  }

  ~Queue() { stop(); }
  Queue(const Queue&) = delete;
  Queue& operator=(const Queue&) = delete;

  [[nodiscard]] std::int64_t steps() const { return sampler_.steps_per_epoch(); }

  Batch next() {
    std::unique_lock lock(mutex_);
    auto& slot = ring_[static_cast<std::size_t>(taken_) % ring_.size()];
    ready_.wait(lock, [&] { return slot.batch || slot.failure; });
    // A failure stays in place: asking again gives it again, and no later batch slips past it.
    if (slot.failure) std::rethrow_exception(slot.failure);
    auto batch = std::move(*slot.batch);
    slot.batch.reset();
    ++taken_;
    lock.unlock();
    room_.notify_one();
    return batch;
  }

  void seek(std::int64_t epoch, std::int64_t batch) {
    if (epoch < 0 || batch < 0 || batch >= steps())
      throw usage_error("batch {} of epoch {} does not exist; an epoch has {}", batch, epoch, steps());
    {
      const std::lock_guard lock(mutex_);
      ++generation_;  // what is being made for the old place is thrown away when it arrives
      taken_ = claimed_ = epoch * steps() + batch;
      for (auto& slot : ring_) {
        if (slot.batch) spare_.push_back(std::move(*slot.batch));
        slot = {};
      }
    }
    room_.notify_all();
  }

  void recycle(Batch&& batch) {
    const std::lock_guard lock(mutex_);
    if (spare_.size() < ring_.size() + threads_.size()) spare_.push_back(std::move(batch));
  }

 private:
  struct Slot {
    std::optional<Batch> batch;
    std::exception_ptr failure;
  };

  void stop() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    room_.notify_all();
    threads_.clear();  // joins
  }

  void work() {
    std::unique_lock lock(mutex_);
    for (;;) {
      room_.wait(lock, [&] { return stopping_ || claimed_ < taken_ + static_cast<std::int64_t>(ring_.size()); });
      if (stopping_) return;
      const auto step = claimed_++;
      const auto generation = generation_;
      Slot made{take_spare(), nullptr};
      lock.unlock();
      try {
        fill(step, *made.batch);
      } catch (...) {
        made = {std::nullopt, std::current_exception()};
      }
      lock.lock();
      if (generation != generation_) {
        if (made.batch) spare_.push_back(std::move(*made.batch));
        continue;
      }
      ring_[static_cast<std::size_t>(step) % ring_.size()] = std::move(made);
      ready_.notify_one();
    }
  }

  Batch take_spare() {
    if (spare_.empty()) return {};
    auto batch = std::move(spare_.back());
    spare_.pop_back();
    return batch;
  }

  void fill(std::int64_t step, Batch& batch) const {
    batch.epoch = step / steps();
    batch.index = step % steps();
    batch.samples = sampler_.samples(batch.epoch, batch.index);
    const auto& info = shard_.info();
    const Sampling& sampling = sampler_.sampling();
    batch.augmentation = draw_augmentation(sampling.augment, sampling.seed, batch.samples, info.bands);
    batch.images = static_cast<int>(batch.samples.size());
    batch.total = sampler_.images(batch.index);
    batch.height = sampler_.read_height();
    batch.width = sampler_.read_width();
    batch.bands = info.bands;
    batch.dtype = info.dtype;
    batch.mean = normalisation_.mean;
    batch.std = normalisation_.std;
    batch.pixels.resize(batch.pixel_bytes());
    batch.labels.resize(batch.label_count());
    if (batch.images == 0) return;
    const auto pixels = batch.pixels.size() / batch.samples.size();
    const auto labels = batch.labels.size() / batch.samples.size();
    for (std::size_t i = 0; i < batch.samples.size(); ++i) {
      const auto& sample = batch.samples[i];
      if (sample.mosaic) {
        read_mosaic(shard_, sample, batch.pixels.data() + i * pixels, batch.labels.data() + i * labels);
        continue;
      }
      shard_.read_raw(sample.tile, sample.read, batch.pixels.data() + i * pixels);
      shard_.read_labels(sample.tile, sample.read, batch.labels.data() + i * labels);
    }
  }

  const Shard& shard_;
  const Sampler sampler_;
  BandNormalisation normalisation_;  // set once

  std::mutex mutex_;  // guards all below
  std::condition_variable room_;
  std::condition_variable ready_;
  std::vector<Slot> ring_;    // step s is kept at s % size
  std::vector<Batch> spare_;  // memory to use again
  std::int64_t claimed_ = 0;  // the next step that a worker takes on
  std::int64_t taken_ = 0;    // the next step that the consumer gets
  std::uint64_t generation_ = 0;
  bool stopping_ = false;
  std::vector<std::jthread> threads_;  // last: started when the rest is there
};

Loader::Loader(const Shard& shard, const Sampling& sampling, const std::vector<float>& mean,
               const std::vector<float>& std, int threads, int depth)
    : queue_(std::make_unique<Queue>(shard, sampling, mean, std, threads, depth)) {}

Loader::~Loader() = default;

std::int64_t Loader::steps_per_epoch() const noexcept {
  return queue_->steps();
}

Batch Loader::next() {
  return queue_->next();
}

void Loader::seek(std::int64_t epoch, std::int64_t batch) {
  queue_->seek(epoch, batch);
}

void Loader::recycle(Batch&& batch) {
  queue_->recycle(std::move(batch));
}

}  // namespace plume::data
