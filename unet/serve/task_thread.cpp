// A queue and the thread that empties it.
#include "unet/serve/task_thread.hpp"

#include <utility>

namespace plume::serve {

TaskThread::TaskThread(std::size_t most_waiting) : most_waiting_(most_waiting), thread_([this] { work(); }) {}

void TaskThread::stop() {
  {
    const std::scoped_lock lock(mutex_);
    if (std::exchange(stopping_, true)) return;
  }
  changed_.notify_one();
  thread_.join();
}

bool TaskThread::post(std::function<void()> task) {
  {
    const std::scoped_lock lock(mutex_);
    if (stopping_ || tasks_.size() >= most_waiting_) return false;
    tasks_.push_back(std::move(task));
  }
  changed_.notify_one();
  return true;
}

void TaskThread::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return stopping_ || !tasks_.empty(); });
    if (tasks_.empty()) return;
    const auto task = std::move(tasks_.front());
    tasks_.pop_front();
    lock.unlock();
    task();
    lock.lock();
  }
}

}  // namespace plume::serve
