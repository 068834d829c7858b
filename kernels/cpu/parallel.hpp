// How CPU kernels share work: independent tasks, or elements of a flat loop.
#pragma once

#include <omp.h>

#include <cstddef>

#include "kernels/stream.hpp"

namespace plume::kernels {

// Runs body(task, thread) for every task in [0, tasks); which thread takes which is left to chance, so a task must
// write only what is its own.
template <class Body>
void parallel_tasks(CpuStream& stream, std::ptrdiff_t tasks, const Body& body) {
  const int threads = stream.threads();
  if (threads == 1 || tasks <= 1) {
    for (std::ptrdiff_t task = 0; task < tasks; ++task) body(task, 0);
    return;
  }
#pragma omp parallel for schedule(dynamic, 1) num_threads(threads)
  for (std::ptrdiff_t task = 0; task < tasks; ++task) body(task, omp_get_thread_num());
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
