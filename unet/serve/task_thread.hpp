// A thread for what must not hold up others, done in the order it came.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace plume::serve {

class TaskThread {
 public:
  explicit TaskThread(std::size_t most_waiting);
  ~TaskThread() { stop(); }
  TaskThread(const TaskThread&) = delete;
  TaskThread& operator=(const TaskThread&) = delete;

  // False where too many wait, or after stop(): the task was not taken. Tasks do not throw.
  [[nodiscard]] bool post(std::function<void()> task);

  // Finishes what waits, and takes no more.
  void stop();

 private:
  void work();

  std::size_t most_waiting_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> tasks_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace plume::serve
