// Batch normalisation's statistics on CUDA: sums per block, then mean, deviation and running statistics per channel.
#include <cmath>

#include "device_language.hpp"
#include "kernels/batch_norm.hpp"
#include "kernels/cuda/channel_sums.cuh"
#include "kernels/cuda/pack.cuh"

namespace plume::kernels {
namespace cuda {
namespace {

// Partial sums of x and x^2. A thread sums in float what its pixels differ from its first one, k: with d = x - k,
// sum x = n k + sum d and sum x^2 = n k^2 + 2 k sum d + sum d^2 are put together in double, so that nothing cancels
// where the mean dwarfs the deviation (the shifted algorithm of Chan, Golub and LeVeque, 1983).
template <int N, class T>
__global__ void __launch_bounds__(block_threads)
    statistics_sums_kernel(double* partials, Image<const T> x, int range_pixels) {
  const int channel = first_channel<N>();
  const auto pixels = static_cast<int>(x.pixels());
  const int first = static_cast<int>(blockIdx.x) * range_pixels + static_cast<int>(threadIdx.y);
  double sums[2 * N]{};
  if (in_bounds(channel < x.c) && in_bounds(first < pixels)) {
    const Floats<N> shift = load<N>(x.data + first * x.stride + channel);
    Floats<N> sum{};
    Floats<N> squares{};
    int count = 0;
    for_range<4>(pixels, range_pixels, [&](int pixel) {
      const Floats<N> values = load<N>(x.data + pixel * x.stride + channel);
#pragma unroll
      for (int i = 0; i < N; ++i) {
        const float d = values[i] - shift[i];
        sum[i] += d;
        squares[i] = fmaf(d, d, squares[i]);
      }
      ++count;
    });
#pragma unroll
    for (int i = 0; i < N; ++i) {
      const double k = shift[i];
      sums[i] = count * k + sum[i];
      sums[N + i] = k * (count * k + 2.0 * sum[i]) + squares[i];
    }
  }
  write_partials<2, N>(partials, sums, channel, x.c);
}

struct Statistics {
  float* mean;
  float* inverse_std;
  float* running_mean;  // null: not kept
  float* running_var;
};

__global__ void __launch_bounds__(block_threads)
    statistics_finish_kernel(Statistics to, Partials partials, int channels, NormSettings settings) {
  const int channel = finish_channel();
  double totals[2];
  add_partials(totals, partials.sums, partials.ranges, channel, channels);
  if (threadIdx.y != 0 || !in_bounds(channel < channels)) return;
  const double count = partials.pixels();
  const double mean = totals[0] / count;
  const double variance = fmax(0.0, totals[1] / count - mean * mean);
  to.mean[channel] = static_cast<float>(mean);
  to.inverse_std[channel] = static_cast<float>(1.0 / sqrt(variance + settings.epsilon));
  if (to.running_mean == nullptr) return;
  const double fed = settings.unbiased_variance && count > 1 ? variance * count / (count - 1) : variance;
  const auto update = [&](float& running, double batch) {
    running = static_cast<float>((1.0 - settings.momentum) * static_cast<double>(running) + settings.momentum * batch);
  };
  update(to.running_mean[channel], mean);
  update(to.running_var[channel], fed);
}

__global__ void __launch_bounds__(block_threads)
    running_statistics_kernel(float* mean, float* inverse_std, const float* running_mean, const float* running_var,
                              int channels, double epsilon) {
  const int channel = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  if (!in_bounds(channel < channels)) return;
  mean[channel] = running_mean[channel];
  inverse_std[channel] = static_cast<float>(1.0 / sqrt(static_cast<double>(running_var[channel]) + epsilon));
}

template <int N, class T>
void launch_statistics(const Statistics& to, Image<const T> x, const NormSettings& settings, CudaStream& stream) {
  const PixelRanges ranges = pixel_ranges(x.pixels(), x.c / N);
  const std::size_t values = static_cast<std::size_t>(2 * ranges.count()) * static_cast<std::size_t>(x.c);
  auto* sums = stream.state().scratch(CudaStream::State::partials).take<double>(values + joined_values(x.c));
  launch<statistics_sums_kernel<N, T>>(ranges.shape, stream, sums, x, ranges.pixels);
  Partials partials{sums, ranges.count(), static_cast<double>(x.pixels()), nullptr};
  if (settings.across != nullptr) partials = joined<2>(partials, *settings.across, sums + values, x.c, stream);
  launch<statistics_finish_kernel>(finish_shape(x.c), stream, to, partials, x.c, settings);
}

}  // namespace
}  // namespace cuda

template <class T>
void batch_statistics(Wide<T>* mean, Wide<T>* inverse_std, Wide<T>* running_mean, Wide<T>* running_var,
                      Image<const T> x, const NormSettings& settings, CudaStream& stream) {
  const cuda::Statistics to{mean, inverse_std, running_mean, running_var};
  if (cuda::packs(x)) {
    cuda::launch_statistics<cuda::pack_size<T>>(to, x, settings, stream);
  } else {
    cuda::launch_statistics<1>(to, x, settings, stream);
  }
}

template <class T>
void running_statistics(T* mean, T* inverse_std, const T* running_mean, const T* running_var, int channels,
                        const NormSettings& settings, CudaStream& stream) {
  constexpr int threads = 64;  // channels are few
  const cuda::LaunchShape shape{dim3(static_cast<unsigned>(cuda::ceil_div(channels, threads))), dim3(threads)};
  cuda::launch<cuda::running_statistics_kernel>(shape, stream, mean, inverse_std, running_mean, running_var, channels,
                                                settings.epsilon);
}

template void batch_statistics<float>(float*, float*, float*, float*, Image<const float>, const NormSettings&,
                                      CudaStream&);
template void batch_statistics<bf16>(float*, float*, float*, float*, Image<const bf16>, const NormSettings&,
                                     CudaStream&);
template void running_statistics(float*, float*, const float*, const float*, int, const NormSettings&, CudaStream&);

}  // namespace plume::kernels
