// The peak rate, measured.
#include "kernels/cpu/peak.hpp"

#include <algorithm>
#include <chrono>
#include <vector>

#include "kernels/cpu/parallel.hpp"
#include "kernels/cpu/primitives.hpp"

namespace plume::kernels {

double measure_peak(CpuStream& stream) {
  constexpr int bursts = 40;
  constexpr double values_per_burst = 1 << 28;  // some milliseconds
  const Primitives<float>& cpu = primitives<float>();
  const auto rounds = static_cast<std::ptrdiff_t>(values_per_burst / cpu.peak_values);
  const auto values = static_cast<std::size_t>(cpu.peak_values);
  double best = 0;
  for (int burst = 0; burst < bursts; ++burst) {
    const auto start = std::chrono::steady_clock::now();
    parallel_tasks(stream, stream.threads(), [&](std::ptrdiff_t, int) {
      std::vector<float> x(values, 1.0F);
      cpu.multiply_adds(x.data(), 0.5F, 0.5F, rounds);
    });
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
    const double operations = 2.0 * static_cast<double>(rounds) * cpu.peak_values * stream.threads();
    best = std::max(best, operations / taken.count());
  }
  return best;
}

}  // namespace plume::kernels
