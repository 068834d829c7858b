// The queue between those who ask and the few threads that work: decode, compute together with others of the same kind,
// encode. It knows neither HTTP nor networks.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <span>
#include <thread>
#include <vector>

#include "unet/serve/histogram.hpp"

namespace plume::serve {

// One piece of work. Its calls come one after another, from any worker: decode, compute (by the scheduler's function),
// encode; where one of them throws, or time runs out, fail() instead of what is left.
class Job {
 public:
  Job() = default;
  Job(const Job&) = delete;
  Job& operator=(const Job&) = delete;
  virtual ~Job() = default;

  virtual void decode() = 0;
  virtual void encode() = 0;
  virtual void fail(const std::exception_ptr& error) noexcept = 0;

  // From decode() on. Jobs of equal kinds are computed together.
  struct Kind {
    const void* group = nullptr;
    int height = 0;
    int width = 0;
    bool operator==(const Kind&) const = default;
  };
  [[nodiscard]] virtual Kind kind() const = 0;
  [[nodiscard]] virtual int images() const = 0;
};

struct SchedulerSettings {
  int workers = 1;                        // threads
  int lanes = 1;                          // of them, those that may compute at a time
  int max_batch = 1;                      // images; a job of more is computed by itself
  std::chrono::microseconds max_wait{0};  // how long a job waits for others to fill a batch
  std::size_t max_queue = 64;             // jobs that wait
  std::chrono::milliseconds deadline{60'000};
};

class Scheduler {
 public:
  // alone: nothing else is being computed or waits for it, so it may take the whole machine.
  using Compute = std::function<void(std::span<const std::shared_ptr<Job>> batch, bool alone)>;

  Scheduler(const SchedulerSettings& settings, Compute compute);
  ~Scheduler() { stop(); }
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;

  // False where the queue is full: the job was not taken. A job that has waited for longer than the deadline fails with a
  // RequestError (503) at once, and is not computed.
  [[nodiscard]] bool submit(std::shared_ptr<Job> job);

  // Takes no more jobs; those that wait fail as if their time had run out. Every job has had its end when this returns.
  void stop();

  struct Counts {
    Histogram queue_seconds{second_bounds};  // of all waits of a job
    Histogram decode_seconds{second_bounds};
    Histogram compute_seconds{second_bounds};  // of a batch
    Histogram encode_seconds{second_bounds};
    Histogram batch_images{batch_bounds};
    std::atomic<std::uint64_t> refused{0};
    std::atomic<std::uint64_t> expired{0};
  };
  [[nodiscard]] const Counts& counts() const { return counts_; }
  [[nodiscard]] std::size_t waiting() const;

 private:
  using Clock = std::chrono::steady_clock;
  struct Entry {
    std::shared_ptr<Job> job;
    Clock::time_point deadline;
    Clock::time_point since;   // that it waits, in the list it is in
    Clock::duration waited{};  // before
  };
  using Entries = std::list<Entry>;

  void work();
  // Sees to it that those whose deadline passes fail in time, though every worker be busy.
  void watch();
  // Whether there were any.
  bool fail_late(std::unique_lock<std::mutex>& lock);
  // Each takes what it works on and lets go of the lock meanwhile.
  void encode_one(std::unique_lock<std::mutex>& lock);
  void compute_batch(std::unique_lock<std::mutex>& lock);
  void decode_one(std::unique_lock<std::mutex>& lock);

  // When the first of the decoded may be computed: now where a batch is full.
  [[nodiscard]] Clock::time_point due() const;
  [[nodiscard]] Entries take_batch();
  [[nodiscard]] bool idle() const;

  SchedulerSettings settings_;
  Compute compute_;
  Counts counts_;

  mutable std::mutex mutex_;  // of what follows
  std::condition_variable changed_;
  std::condition_variable submitted_;
  Entries received_;
  Entries decoded_;
  Entries computed_;
  int working_ = 0;    // workers that have a job
  int computing_ = 0;  // of them, in compute_
  bool stopping_ = false;

  std::vector<std::thread> threads_;
};

}  // namespace plume::serve
