// Batch normalisation forward on the CPU.
#include "kernels/batch_norm.hpp"

#include <cmath>

#include "kernels/cpu/norm_scale.hpp"
#include "kernels/cpu/parallel.hpp"
#include "kernels/cpu/pixel_sums.hpp"
#include "kernels/cpu/primitives.hpp"
#include "kernels/pooling.hpp"

namespace plume::kernels {

// Each run's sums are taken again about the run's own mean, while it is in cache, and put together in f64: with m the
// rounded mean and d = x - m, sum x = n m + sum d and sum x^2 = n m^2 + 2 m sum d + sum d^2 (the corrected two-pass
// algorithm of Chan, Golub and LeVeque, 1983). One pass over memory, no cancellation, no drift of f32 sums.
template <class T>
void batch_statistics(Wide<T>* mean, Wide<T>* inverse_std, Wide<T>* running_mean, Wide<T>* running_var,
                      Image<const T> x, const NormSettings& settings, CpuStream& stream) {
  const auto& cpu = primitives<T>();
  const int c = x.c;
  auto totals = pixel_runs<T>(x.pixels(), std::ptrdiff_t{3} * c, stream,
                              [&](T* sums, double* total, std::ptrdiff_t first, std::ptrdiff_t count) {
                                const T* from = x.data + first * x.stride;
                                const auto pixels = static_cast<double>(count);
                                cpu.channel_sums(sums, from, x.stride, count, c);
                                for (int i = 0; i < c; ++i)
                                  sums[i] = static_cast<T>(static_cast<double>(sums[i]) / pixels);
                                cpu.deviation_sums(sums + c, sums + 2 * c, from, x.stride, sums, count, c);
                                for (int i = 0; i < c; ++i) {
                                  const auto run_mean = static_cast<double>(sums[i]);
                                  const auto deviations = static_cast<double>(sums[c + i]);
                                  total[i] += pixels * run_mean + deviations;
                                  total[c + i] += run_mean * (pixels * run_mean + 2 * deviations) +
                                                  static_cast<double>(sums[2 * c + i]);
                                }
                              });

  totals.push_back(static_cast<double>(x.pixels()));
  if (settings.across != nullptr) settings.across->sum(totals.data(), totals.size(), stream);
  const double count = totals.back();
  for (int i = 0; i < c; ++i) {
    const double batch_mean = totals[static_cast<std::size_t>(i)] / count;
    const double variance = std::max(0.0, totals[static_cast<std::size_t>(c + i)] / count - batch_mean * batch_mean);
    mean[i] = static_cast<T>(batch_mean);
    inverse_std[i] = static_cast<T>(1.0 / std::sqrt(variance + settings.epsilon));
    if (running_mean == nullptr) continue;
    const double fed = settings.unbiased_variance && count > 1 ? variance * count / (count - 1) : variance;
    const double keep = 1.0 - settings.momentum;
    running_mean[i] = static_cast<T>(keep * static_cast<double>(running_mean[i]) + settings.momentum * batch_mean);
    running_var[i] = static_cast<T>(keep * static_cast<double>(running_var[i]) + settings.momentum * fed);
  }
}

template <class T>
void running_statistics(T* mean, T* inverse_std, const T* running_mean, const T* running_var, int channels,
                        const NormSettings& settings, CpuStream&) {
  for (int i = 0; i < channels; ++i) {
    mean[i] = running_mean[i];
    inverse_std[i] = static_cast<T>(1.0 / std::sqrt(static_cast<double>(running_var[i]) + settings.epsilon));
  }
}

template <class T>
void normalize(Image<T> y, Image<const T> x, const Wide<T>* mean, const Wide<T>* inverse_std, const Wide<T>* gamma,
               const Wide<T>* beta, bool relu, CpuStream& stream) {
  const auto& cpu = primitives<T>();
  const NormScale<T> line(mean, inverse_std, gamma, beta, x.c);
  const auto run = [&](T* to, const T* from, std::ptrdiff_t pixels) {
    cpu.scale_shift(to, y.stride, from, x.stride, line.scale.data(), line.shift.data(), pixels, x.c, relu);
  };
  if (x.rows_adjoin() && y.rows_adjoin()) {
    parallel_ranges(stream, x.pixels(), 2048, [&](std::ptrdiff_t first, std::ptrdiff_t last) {
      run(y.data + first * y.stride, x.data + first * x.stride, last - first);
    });
    return;
  }
  parallel_tasks(stream, std::ptrdiff_t{x.n} * x.h, [&](std::ptrdiff_t task, int) {
    const auto image = static_cast<int>(task / x.h);
    const auto row = static_cast<int>(task % x.h);
    run(y.at(image, row, 0), x.at(image, row, 0), x.w);
  });
}

template <class T>
void normalize_pool(Image<T> y, Image<T> pooled, std::uint8_t* index, Image<const T> x, const Wide<T>* mean,
                    const Wide<T>* inverse_std, const Wide<T>* gamma, const Wide<T>* beta, bool relu,
                    CpuStream& stream) {
  normalize(y, x, mean, inverse_std, gamma, beta, relu, stream);
  max_pool_forward<T>(pooled, index, y, stream);
}

template void batch_statistics(float*, float*, float*, float*, Image<const float>, const NormSettings&, CpuStream&);
template void batch_statistics(double*, double*, double*, double*, Image<const double>, const NormSettings&,
                               CpuStream&);
template void running_statistics(float*, float*, const float*, const float*, int, const NormSettings&, CpuStream&);
template void running_statistics(double*, double*, const double*, const double*, int, const NormSettings&, CpuStream&);
template void normalize(Image<float>, Image<const float>, const float*, const float*, const float*, const float*, bool,
                        CpuStream&);
template void normalize(Image<double>, Image<const double>, const double*, const double*, const double*, const double*,
                        bool, CpuStream&);

template void normalize_pool(Image<float>, Image<float>, std::uint8_t*, Image<const float>, const float*, const float*,
                             const float*, const float*, bool, CpuStream&);
template void normalize_pool(Image<double>, Image<double>, std::uint8_t*, Image<const double>, const double*,
                             const double*, const double*, const double*, bool, CpuStream&);

}  // namespace plume::kernels
