// Elementwise passes between reals and their 8-bit form, and over the latter.
#include <algorithm>
#include <cmath>

#include "kernels/cpu/parallel.hpp"
#include "kernels/cpu/quantized/primitives.hpp"
#include "kernels/quantized.hpp"

namespace plume::kernels {
namespace {

constexpr float largest = 255;
constexpr std::ptrdiff_t pixels_of_task = 2048;

template <class In>
auto rounding_of(const QuantizedPrimitives& cpu) {
  if constexpr (std::is_same_v<In, float>) {
    return cpu.round_real;
  } else {
    return cpu.round;
  }
}

}  // namespace

Quantization quantization_of(float low, float high) {
  low = std::min(low, 0.0F);
  high = std::max(high, 0.0F);
  const float scale = (high - low) / largest;
  if (!(scale > 0)) return {};
  return {scale, static_cast<std::uint8_t>(std::min(std::lround(-low / scale), 255L))};
}

template <class In>
void requantize(Image<std::uint8_t> out, std::span<const Quantization> to, Image<const In> in,
                std::span<const float> factor, std::span<const float> term, CpuStream& stream) {
  const QuantizedPrimitives& cpu = quantized_primitives();
  // Whole vectors are read.
  std::vector<float> multiplier(to.size() + static_cast<std::size_t>(cpu.lanes));
  std::vector<float> shift(multiplier.size());
  for (std::size_t c = 0; c < to.size(); ++c) {
    multiplier[c] = factor[c] / to[c].scale;
    shift[c] = term[c] / to[c].scale + static_cast<float>(to[c].zero_point);
  }
  parallel_ranges(stream, out.pixels(), pixels_of_task, [&](std::ptrdiff_t first, std::ptrdiff_t last) {
    rounding_of<In>(cpu)(out.data + first * out.stride, out.stride, in.data + first * in.stride, in.stride,
                         multiplier.data(), shift.data(), last - first, out.c);
  });
}

void dequantize(Image<float> out, Image<const std::uint8_t> in, std::span<const Quantization> from, CpuStream& stream) {
  parallel_ranges(stream, out.pixels(), pixels_of_task, [&](std::ptrdiff_t first, std::ptrdiff_t last) {
    for (std::ptrdiff_t p = first; p < last; ++p) {
      float* y = out.data + p * out.stride;
      const std::uint8_t* x = in.data + p * in.stride;
      for (std::size_t c = 0; c < from.size(); ++c)
        y[c] = from[c].scale * static_cast<float>(x[c] - from[c].zero_point);
    }
  });
}

void quantized_max_pool(Image<std::uint8_t> out, Image<const std::uint8_t> in, CpuStream& stream) {
  parallel_tasks(stream, std::ptrdiff_t{out.n} * out.h, [&](std::ptrdiff_t task, int) {
    const int image = static_cast<int>(task / out.h);
    const int row = static_cast<int>(task % out.h);
    for (int column = 0; column < out.w; ++column) {
      const std::uint8_t* top = in.at(image, 2 * row, 2 * column);
      const std::uint8_t* bottom = in.at(image, 2 * row + 1, 2 * column);
      std::uint8_t* to = out.at(image, row, column);
#pragma GCC ivdep
      for (int c = 0; c < out.c; ++c) {
        const std::uint8_t upper = top[c] > top[in.stride + c] ? top[c] : top[in.stride + c];
        const std::uint8_t lower = bottom[c] > bottom[in.stride + c] ? bottom[c] : bottom[in.stride + c];
        to[c] = upper > lower ? upper : lower;
      }
    }
  });
}

template void requantize(Image<std::uint8_t>, std::span<const Quantization>, Image<const std::uint8_t>,
                         std::span<const float>, std::span<const float>, CpuStream&);
template void requantize(Image<std::uint8_t>, std::span<const Quantization>, Image<const float>, std::span<const float>,
                         std::span<const float>, CpuStream&);

}  // namespace plume::kernels
