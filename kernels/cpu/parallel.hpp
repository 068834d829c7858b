// How CPU kernels share work: independent tasks, or elements of a flat loop.
#pragma once

#include <omp.h>

#include <atomic>
#include <cstddef>
#include <exception>

#include "kernels/stream.hpp"

namespace plume::kernels {

[[nodiscard]] constexpr int ceil_div(int a, int b) {
  return (a + b - 1) / b;
}

// Runs body(task, thread) for every task in [0, tasks); which thread takes which is left to chance, so a task must
// write only what is its own. The first exception (memory runs out) is rethrown once all threads are done.
template <class Body>
void parallel_tasks(CpuStream& stream, std::ptrdiff_t tasks, const Body& body) {
  const int threads = stream.threads();
  if (threads == 1 || tasks <= 1) {
    for (std::ptrdiff_t task = 0; task < tasks; ++task) body(task, 0);
    return;
  }
  std::atomic<bool> failed{false};
  std::exception_ptr failure;
#pragma omp parallel for schedule(dynamic, 1) num_threads(threads)
  for (std::ptrdiff_t task = 0; task < tasks; ++task) {
    if (failed.load(std::memory_order_relaxed)) continue;
    try {
      body(task, omp_get_thread_num());
    } catch (...) {
      if (!failed.exchange(true)) failure = std::current_exception();
    }
  }
  if (failure) std::rethrow_exception(failure);
}

// Runs body(first, last) over ranges that cover [0, count).
template <class Body>
void parallel_ranges(CpuStream& stream, std::ptrdiff_t count, std::ptrdiff_t grain, const Body& body) {
  const std::ptrdiff_t tasks = (count + grain - 1) / grain;
  parallel_tasks(stream, tasks, [&](std::ptrdiff_t task, int) {
    const std::ptrdiff_t first = task * grain;
    body(first, first + grain < count ? first + grain : count);
  });
}

// Runs body(i) for every i in [0, count): the CPU form of an elementwise kernel.
template <class Body>
void parallel_for(CpuStream& stream, std::ptrdiff_t count, const Body& body) {
  parallel_ranges(stream, count, std::ptrdiff_t{1} << 15, [&](std::ptrdiff_t first, std::ptrdiff_t last) {
    for (std::ptrdiff_t i = first; i < last; ++i) body(i);
  });
}

}  // namespace plume::kernels
