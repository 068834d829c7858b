// Batch normalisation backward on CUDA: one pass for the sums, one for the data gradient.
#include "device_language.hpp"
#include "kernels/batch_norm.hpp"
#include "kernels/cuda/batch_norm.cuh"
#include "kernels/cuda/channel_sums.cuh"
#include "kernels/cuda/pack.cuh"
#include "kernels/cuda/pixel_grid.cuh"
#include "kernels/cuda/window.cuh"

namespace plume::kernels {
namespace cuda {
namespace {

// The gradient behind the ReLU: what arrived at y, with the pooled part, where y is above zero.
template <class T>
struct OutputGradient {
  Image<const T> grad_y;
  PooledGradient<T> pooled;
  bool relu;

  template <int N>
  __device__ Floats<N> at(int pixel, int channel, const Floats<N>& x, const Normalization<N>& norm) const {
    Floats<N> g = load<N>(grad_y.data + pixel * grad_y.stride + channel);
    if (pooled.grad.data != nullptr) add_pooled(g, pixel, channel);
    if (relu) {
#pragma unroll
      for (int i = 0; i < N; ++i) g[i] = norm(x[i], i) > 0 ? g[i] : 0.0F;
    }
    return g;
  }

 private:
  template <int N>
  __device__ void add_pooled(Floats<N>& g, int pixel, int channel) const {
    const Place place = place_of(static_cast<unsigned>(pixel), grad_y.h, grad_y.w);
    const Place window{place.image, place.row / 2, place.column / 2};
    if (!in_bounds(contains(pooled.grad, window))) return;
    const int k = place.row % 2 * 2 + place.column % 2;
    const Floats<N> gradient = load<N>(cuda::at(pooled.grad, window) + channel);
    const Pack<std::uint8_t, N> which = load_index<N>(pooled.index, pooled.grad, window, channel);
#pragma unroll
    for (int i = 0; i < N; ++i) g[i] += which.values[i] == k ? gradient[i] : 0.0F;
  }
};

// Partial sums of g and of g (x - mean).
template <int N, class T>
__global__ void __launch_bounds__(block_threads, 3)
    gradient_sums_kernel(double* partials, OutputGradient<T> gradient, Image<const T> x, NormParameters parameters,
                         int range_pixels) {
  const int channel = first_channel<N>();
  double sums[2 * N]{};
  if (in_bounds(channel < x.c)) {
    const Normalization<N> norm(parameters, channel);
    Floats<N> sum_g{};
    Floats<N> sum_gx{};
    // Unrolled it would spill; the branches in the body keep pixels from overlapping anyway.
    for_range<1>(static_cast<int>(x.pixels()), range_pixels, [&](int pixel) {
      const Floats<N> values = load<N>(x.data + pixel * x.stride + channel);
      const Floats<N> g = gradient.at(pixel, channel, values, norm);
#pragma unroll
      for (int i = 0; i < N; ++i) {
        sum_g[i] += g[i];
        sum_gx[i] = fmaf(g[i], values[i] - norm.mean[i], sum_gx[i]);
      }
    });
#pragma unroll
    for (int i = 0; i < N; ++i) {
      sums[i] = sum_g[i];
      sums[N + i] = sum_gx[i];
    }
  }
  write_partials<2, N>(partials, sums, channel, x.c);
}

// grad_x = scale g + slope (x - mean) + offset, one value of each for every channel.
struct GradientLine {
  float* slope;
  float* offset;
};

// With g the gradient behind the ReLU, n pixels, s = inverse_std and xc = x - mean:
//   grad_beta = sum g, grad_gamma = s * sum g xc,
//   grad_x = gamma s (g - mean(g) - xc s^2 mean(g xc)), the means only where the statistics are the batch's.
__global__ void __launch_bounds__(block_threads)
    gradient_finish_kernel(float* grad_gamma, float* grad_beta, bool add, GradientLine line, Partials own, Partials all,
                           int channels, NormParameters parameters, bool batch) {
  const int channel = finish_channel();
  double sums[2];
  add_partials(sums, own.sums, own.ranges, channel, channels);
  if (threadIdx.y != 0 || !in_bounds(channel < channels)) return;
  const double s = parameters.inverse_std[channel];
  const double factor = parameters.gamma[channel] * s;
  const double count = all.pixels();
  const double mean_g = (all.counted != nullptr ? all.sums[channel] : sums[0]) / count;
  const double mean_gx = (all.counted != nullptr ? all.sums[channels + channel] : sums[1]) / count;
  line.slope[channel] = batch ? static_cast<float>(-factor * s * s * mean_gx) : 0.0F;
  line.offset[channel] = batch ? static_cast<float>(-factor * mean_g) : 0.0F;
  const auto gamma_sum = static_cast<float>(s * sums[1]);
  const auto beta_sum = static_cast<float>(sums[0]);
  grad_gamma[channel] = add ? grad_gamma[channel] + gamma_sum : gamma_sum;
  grad_beta[channel] = add ? grad_beta[channel] + beta_sum : beta_sum;
}

template <int N, class T>
__global__ void __launch_bounds__(block_threads, 3)
    gradient_apply_kernel(Image<T> grad_x, OutputGradient<T> gradient, Image<const T> x, NormParameters parameters,
                          GradientLine line, bool add) {
  const int channel = first_channel<N>();
  if (!in_bounds(channel < x.c)) return;
  const Normalization<N> norm(parameters, channel);
  const Floats<N> slope = channel_values<N>(line.slope + channel);
  const Floats<N> offset = channel_values<N>(line.offset + channel);
  for_pixels(static_cast<unsigned>(x.pixels()), [&](unsigned pixel) {
    const Floats<N> values = load<N>(x.data + pixel * x.stride + channel);
    Floats<N> result = gradient.at(static_cast<int>(pixel), channel, values, norm);
#pragma unroll
    for (int i = 0; i < N; ++i) {
      result[i] = fmaf(result[i], norm.scale[i], fmaf(values[i] - norm.mean[i], slope[i], offset[i]));
    }
    store(grad_x.data + pixel * grad_x.stride + channel, result, add);
  });
}

template <int N, class T>
void launch_backward(Image<T> grad_x, float* grad_gamma, float* grad_beta, Image<const T> grad_y,
                     const NormSaved<T>& saved, bool add_x, bool add_parameters, CudaStream& stream) {
  const Image<const T>& x = saved.x;
  const NormParameters parameters{saved.mean, saved.inverse_std, saved.gamma, saved.relu ? saved.beta : nullptr};
  const OutputGradient<T> gradient{grad_y, saved.pooled, saved.relu};

  const PixelRanges ranges = pixel_ranges(x.pixels(), x.c / N);
  const auto channels = static_cast<std::size_t>(x.c);
  using State = CudaStream::State;
  const std::size_t values = static_cast<std::size_t>(2 * ranges.count()) * channels;
  auto* sums = stream.state().scratch(State::partials).take<double>(values + joined_values(x.c));
  auto* slope = stream.state().scratch(State::statistics).take<float>(2 * channels);
  const GradientLine line{slope, slope + channels};

  launch<gradient_sums_kernel<N, T>>(ranges.shape, stream, sums, gradient, x, parameters, ranges.pixels);
  const Partials own{sums, ranges.count(), static_cast<double>(x.pixels()), nullptr};
  const Partials all = saved.across != nullptr ? joined<2>(own, *saved.across, sums + values, x.c, stream) : own;
  launch<gradient_finish_kernel>(finish_shape(x.c), stream, grad_gamma, grad_beta, add_parameters, line, own, all, x.c,
                                 parameters, saved.batch);
  if (grad_x.data == nullptr || x.pixels() == 0) return;
  launch<gradient_apply_kernel<N, T>>(pixel_grid(x.pixels(), x.c / N, stream), stream, grad_x, gradient, x, parameters,
                                      line, add_x);
}

}  // namespace
}  // namespace cuda

template <class T>
void normalize_backward(Image<T> grad_x, Wide<T>* grad_gamma, Wide<T>* grad_beta, Image<const T> grad_y,
                        const NormSaved<T>& saved, bool add_x, bool add_parameters, CudaStream& stream) {
  constexpr int N = cuda::pack_size<T>;
  const auto packs_or_null = [](const auto& image) { return image.data == nullptr || cuda::packs(image); };
  const bool packed = cuda::packs(grad_y) && cuda::packs(saved.x) && packs_or_null(grad_x) &&
                      packs_or_null(saved.pooled.grad) && cuda::packs_index(saved.pooled.index, N);
  if (packed) {
    cuda::launch_backward<N>(grad_x, grad_gamma, grad_beta, grad_y, saved, add_x, add_parameters, stream);
  } else {
    cuda::launch_backward<1>(grad_x, grad_gamma, grad_beta, grad_y, saved, add_x, add_parameters, stream);
  }
}

template void normalize_backward<float>(Image<float>, float*, float*, Image<const float>, const NormSaved<float>&, bool,
                                        bool, CudaStream&);
template void normalize_backward<bf16>(Image<bf16>, float*, float*, Image<const bf16>, const NormSaved<bf16>&, bool,
                                       bool, CudaStream&);

}  // namespace plume::kernels
