// Bias gradients: sums of channels over pixels.
#include "kernels/cuda/channel_sums.cuh"
#include "kernels/cuda/convolution/own.hpp"
#include "kernels/cuda/pack.cuh"

namespace plume::kernels::cuda {
namespace {

template <int N, class T>
__global__ void __launch_bounds__(block_threads)
    bias_sums_kernel(double* partials, Image<const T> image, int pixels, int range_pixels) {
  const int channel = first_channel<N>();
  double sums[N]{};
  if (in_bounds(channel < image.c)) {
    Floats<N> sum{};
    for_range<4>(pixels, range_pixels, [&](int pixel) {
      const Floats<N> values = load<N>(image.data + pixel * image.stride + channel);
#pragma unroll
      for (int i = 0; i < N; ++i) sum[i] += values[i];
    });
#pragma unroll
    for (int i = 0; i < N; ++i) sums[i] = static_cast<double>(sum[i]);
  }
  write_partials<1, N>(partials, sums, channel, image.c);
}

__global__ void __launch_bounds__(block_threads)
    finish_bias_kernel(float* grad_bias, const double* partials, int ranges, int channels, bool add) {
  const int channel = finish_channel();
  double total[1];
  add_partials(total, partials, ranges, channel, channels);
  if (threadIdx.y != 0 || !in_bounds(channel < channels)) return;
  const auto sum = static_cast<float>(total[0]);
  grad_bias[channel] = add ? grad_bias[channel] + sum : sum;
}

template <int N, class T>
void sum_pixels(float* grad_bias, const Image<const T>& image, bool add, CudaStream& stream) {
  const PixelRanges ranges = pixel_ranges(image.pixels(), ceil_div(image.c, N));
  auto& scratch = stream.state().scratch(CudaStream::State::partials);
  auto* partials =
      scratch.template take<double>(static_cast<std::size_t>(ranges.count()) * static_cast<std::size_t>(image.c));
  launch<bias_sums_kernel<N, T>>(ranges.shape, stream, partials, image, pixel_count(image.pixels()), ranges.pixels);
  launch<finish_bias_kernel>(finish_shape(image.c), stream, grad_bias, partials, ranges.count(), image.c, add);
}

}  // namespace

namespace own {

template <class T>
void bias_backward(Wide<T>* grad_bias, Image<const T> grad_out, bool add, CudaStream& stream) {
  if (grad_out.c == 0) return;
  if (packs(grad_out)) {
    sum_pixels<pack_size<T>>(grad_bias, grad_out, add, stream);
  } else {
    sum_pixels<1>(grad_bias, grad_out, add, stream);
  }
}

template void bias_backward<float>(float*, Image<const float>, bool, CudaStream&);
template void bias_backward<bf16>(float*, Image<const bf16>, bool, CudaStream&);

}  // namespace own
}  // namespace plume::kernels::cuda
