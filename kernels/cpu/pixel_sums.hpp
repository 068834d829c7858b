// Sums over pixels whose order depends on the shape alone: short runs in T, their totals in f64.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include "kernels/cpu/parallel.hpp"
#include "kernels/cpu/primitives.hpp"

namespace plume::kernels {

// Calls run(sums, totals, first, count) for runs of pixels that cover [0, pixels): `sums` are `values` zeros of T to
// work in, `totals` are `values` doubles to add to. The totals over all pixels come back.
template <class T, class Run>
std::vector<double> pixel_runs(std::ptrdiff_t pixels, std::ptrdiff_t values, CpuStream& stream, const Run& run) {
  constexpr std::ptrdiff_t run_pixels = 128;  // short runs keep f32 sums exact, and a second pass finds them in cache
  constexpr std::ptrdiff_t task_pixels = 32 * run_pixels;
  const std::ptrdiff_t tasks = (pixels + task_pixels - 1) / task_pixels;
  auto* totals = stream.shared(CpuStream::statistics).take<double>(static_cast<std::size_t>(tasks * values));
  parallel_tasks(stream, tasks, [&](std::ptrdiff_t task, int thread) {
    T* sums = stream.local(thread).take<T>(static_cast<std::size_t>(values));
    double* total = totals + task * values;
    std::fill_n(total, values, 0.0);
    const std::ptrdiff_t last = std::min(pixels, (task + 1) * task_pixels);
    for (std::ptrdiff_t first = task * task_pixels; first < last; first += run_pixels) {
      std::fill_n(sums, values, T{0});
      run(sums, total, first, std::min(run_pixels, last - first));
    }
  });
  std::vector<double> result(static_cast<std::size_t>(values), 0.0);
  for (std::ptrdiff_t task = 0; task < tasks; ++task) {
    for (std::ptrdiff_t v = 0; v < values; ++v) result[static_cast<std::size_t>(v)] += totals[task * values + v];
  }
  return result;
}

// The plain form: run(sums, first, count) adds pixels to `values` sums.
template <class T, class Run>
std::vector<double> pixel_sums(std::ptrdiff_t pixels, std::ptrdiff_t values, CpuStream& stream, const Run& run) {
  return pixel_runs<T>(pixels, values, stream,
                       [&](T* sums, double* totals, std::ptrdiff_t first, std::ptrdiff_t count) {
                         run(sums, first, count);
                         for (std::ptrdiff_t v = 0; v < values; ++v) totals[v] += static_cast<double>(sums[v]);
                       });
}

}  // namespace plume::kernels
