// What a worker does next, and whose time has run out.
#include "unet/serve/scheduler.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "unet/serve/status.hpp"

namespace plume::serve {
namespace {

double seconds(std::chrono::steady_clock::duration duration) {
  return std::chrono::duration<double>(duration).count();
}

// Lets go of a lock for the length of a scope.
class Unlocked {
 public:
  explicit Unlocked(std::unique_lock<std::mutex>& lock) : lock_(lock) { lock_.unlock(); }
  ~Unlocked() { lock_.lock(); }
  Unlocked(const Unlocked&) = delete;
  Unlocked& operator=(const Unlocked&) = delete;

 private:
  std::unique_lock<std::mutex>& lock_;
};

// Runs one stage, measures it, and gives what it throws to the jobs. Whether all went well.
template <class Entries, class Stage>
bool run_stage(Histogram& histogram, const Entries& entries, const Stage& stage) {
  const auto begin = std::chrono::steady_clock::now();
  try {
    stage();
  } catch (...) {
    for (const auto& entry : entries) entry.job->fail(std::current_exception());
    return false;
  }
  histogram.observe(seconds(std::chrono::steady_clock::now() - begin));
  return true;
}

}  // namespace

Scheduler::Scheduler(const SchedulerSettings& settings, Compute compute)
    : settings_(settings), compute_(std::move(compute)) {
  for (int worker = 0; worker < settings.workers; ++worker) threads_.emplace_back([this] { work(); });
  threads_.emplace_back([this] { watch(); });
}

void Scheduler::stop() {
  {
    const std::scoped_lock lock(mutex_);
    if (std::exchange(stopping_, true)) return;
  }
  changed_.notify_all();
  submitted_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

bool Scheduler::submit(std::shared_ptr<Job> job) {
  const auto now = Clock::now();
  {
    const std::scoped_lock lock(mutex_);
    if (stopping_ || received_.size() + decoded_.size() >= settings_.max_queue) {
      ++counts_.refused;
      return false;
    }
    received_.push_back({std::move(job), now + settings_.deadline, now});
  }
  changed_.notify_one();
  submitted_.notify_one();
  return true;
}

std::size_t Scheduler::waiting() const {
  const std::scoped_lock lock(mutex_);
  return received_.size() + decoded_.size();
}

// What is nearest to its end goes first: it frees memory, and somebody waits for it.
void Scheduler::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    if (fail_late(lock)) continue;
    const bool may_compute = !decoded_.empty() && computing_ < settings_.lanes;
    if (!computed_.empty()) {
      encode_one(lock);
    } else if (may_compute && due() <= Clock::now()) {
      compute_batch(lock);
    } else if (!received_.empty()) {
      decode_one(lock);
    } else if (stopping_ && idle()) {
      changed_.notify_all();
      submitted_.notify_all();
      return;
    } else if (may_compute) {
      changed_.wait_until(lock, due());
    } else {
      changed_.wait(lock);
    }
  }
}

void Scheduler::encode_one(std::unique_lock<std::mutex>& lock) {
  Entries one;
  one.splice(one.end(), computed_, computed_.begin());
  ++working_;
  {
    const Unlocked unlocked(lock);
    run_stage(counts_.encode_seconds, one, [&] { one.front().job->encode(); });
    one.clear();
  }
  --working_;
}

void Scheduler::compute_batch(std::unique_lock<std::mutex>& lock) {
  Entries batch = take_batch();
  const bool alone = working_ == 0 && decoded_.empty() && received_.empty();
  ++working_;
  ++computing_;
  bool good = false;
  {
    const Unlocked unlocked(lock);
    good = run_stage(counts_.compute_seconds, batch, [&] {
      std::vector<std::shared_ptr<Job>> jobs;
      int images = 0;
      for (const Entry& entry : batch) {
        counts_.queue_seconds.observe(seconds(entry.waited));
        images += entry.job->images();
        jobs.push_back(entry.job);
      }
      counts_.batch_images.observe(images);
      compute_(jobs, alone);
    });
    if (!good) batch.clear();
  }
  --working_;
  --computing_;
  computed_.splice(computed_.end(), batch);
  changed_.notify_all();
}

void Scheduler::decode_one(std::unique_lock<std::mutex>& lock) {
  Entries one;
  one.splice(one.end(), received_, received_.begin());
  Entry& entry = one.front();
  entry.waited += Clock::now() - entry.since;
  ++working_;
  {
    const Unlocked unlocked(lock);
    if (!run_stage(counts_.decode_seconds, one, [&] { entry.job->decode(); })) one.clear();
  }
  --working_;
  if (!one.empty()) {
    entry.since = Clock::now();
    decoded_.splice(decoded_.end(), one);
    submitted_.notify_one();
  }
  changed_.notify_one();
}

Scheduler::Clock::time_point Scheduler::due() const {
  const Entry& first = decoded_.front();
  int images = 0;
  for (const Entry& entry : decoded_) {
    if (entry.job->kind() == first.job->kind()) images += entry.job->images();
  }
  return images >= settings_.max_batch ? Clock::time_point::min() : first.since + settings_.max_wait;
}

Scheduler::Entries Scheduler::take_batch() {
  Entries batch;
  const auto now = Clock::now();
  const Job::Kind kind = decoded_.front().job->kind();
  int images = 0;
  for (auto next = decoded_.begin(); next != decoded_.end();) {
    const auto entry = next++;
    if (!(entry->job->kind() == kind)) continue;
    if (!batch.empty() && images + entry->job->images() > settings_.max_batch) break;
    images += entry->job->images();
    entry->waited += now - entry->since;
    batch.splice(batch.end(), decoded_, entry);
  }
  return batch;
}

bool Scheduler::idle() const {
  return received_.empty() && decoded_.empty() && computed_.empty() && working_ == 0;
}

bool Scheduler::fail_late(std::unique_lock<std::mutex>& lock) {
  const auto now = Clock::now();
  Entries late;
  for (Entries* entries : {&received_, &decoded_}) {
    for (auto next = entries->begin(); next != entries->end();) {
      const auto entry = next++;
      if (stopping_ || entry->deadline <= now) late.splice(late.end(), *entries, entry);
    }
  }
  if (late.empty()) return false;
  counts_.expired += late.size();
  const Unlocked unlocked(lock);
  const auto error = std::make_exception_ptr(
      RequestError(Status::service_unavailable, "the request has waited in the queue for longer than it may"));
  for (const Entry& entry : late) entry.job->fail(error);
  late.clear();
  return true;
}

void Scheduler::watch() {
  std::unique_lock lock(mutex_);
  while (!(stopping_ && idle())) {
    if (fail_late(lock)) continue;
    auto next = Clock::time_point::max();
    for (const Entries* entries : {&received_, &decoded_}) {
      for (const Entry& entry : *entries) next = std::min(next, entry.deadline);
    }
    if (next == Clock::time_point::max()) {
      submitted_.wait(lock);
    } else {
      submitted_.wait_until(lock, next);
    }
  }
}

}  // namespace plume::serve
