// The calling thread is one of them.
#include "cloud/s3/parallel.hpp"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

namespace plume::cloud {

void run_parallel(std::size_t count, std::size_t jobs, const std::function<void(std::size_t)>& task) {
  std::atomic<std::size_t> next{0};
  std::mutex mutex;
  std::exception_ptr thrown;
  const auto work = [&] {
    for (std::size_t i = next++; i < count; i = next++) {
      try {
        task(i);
      } catch (...) {
        next = count;
        const std::lock_guard lock(mutex);
        if (!thrown) thrown = std::current_exception();
      }
    }
  };
  std::vector<std::thread> threads;
  const std::size_t others = std::min(count, std::max<std::size_t>(jobs, 1));
  try {
    for (std::size_t i = 1; i < others; ++i) threads.emplace_back(work);
  } catch (const std::system_error&) {  // no more are to be had: these do it all
  }
  work();
  for (std::thread& thread : threads) thread.join();
  if (thrown) std::rethrow_exception(thrown);
}

}  // namespace plume::cloud
