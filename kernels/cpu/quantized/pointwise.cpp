// Elementwise passes between reals and their 8-bit form, and over the latter. Compiled without fused multiply-adds.
#include <algorithm>
#include <cmath>

#include "kernels/cpu/parallel.hpp"
#include "kernels/cpu/quantized/primitives.hpp"
#include "kernels/quantized.hpp"

namespace plume::kernels {
namespace {

constexpr float largest = 255;
constexpr std::ptrdiff_t pixels_of_task = 2048;

// Rounds half up.
std::uint8_t rounded(float value) {
  const float above = value > 0 ? value : 0;
  return static_cast<std::uint8_t>(static_cast<std::int32_t>((above < largest ? above : largest) + 0.5F));
}

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
  return {scale, static_cast<std::uint8_t>(std::lround(-low / scale))};
}

template <class In>
void requantize(Image<std::uint8_t> out, Quantization to, Image<const In> in, std::span<const float> factor,
                std::span<const float> term, bool relu, CpuStream& stream) {
  const QuantizedPrimitives& cpu = quantized_primitives();
  // Whole vectors are read.
  std::vector<float> multiplier(factor.size() + static_cast<std::size_t>(cpu.lanes));
  std::vector<float> shift(multiplier.size());
  for (std::size_t c = 0; c < factor.size(); ++c) {
    multiplier[c] = factor[c] / to.scale;
    shift[c] = term[c] / to.scale + static_cast<float>(to.zero_point);
  }
  const float least = relu ? to.zero_point : 0.0F;
  parallel_ranges(stream, out.pixels(), pixels_of_task, [&](std::ptrdiff_t first, std::ptrdiff_t last) {
    rounding_of<In>(cpu)(out.data + first * out.stride, out.stride, in.data + first * in.stride, in.stride,
                         multiplier.data(), shift.data(), least, last - first, out.c);
  });
}

void dequantize(Image<float> out, Image<const std::uint8_t> in, Quantization from, CpuStream& stream) {
  parallel_ranges(stream, out.pixels(), pixels_of_task, [&](std::ptrdiff_t first, std::ptrdiff_t last) {
    for (std::ptrdiff_t p = first; p < last; ++p) {
      float* y = out.data + p * out.stride;
      const std::uint8_t* x = in.data + p * in.stride;
      for (int c = 0; c < out.c; ++c) y[c] = from.scale * static_cast<float>(x[c] - from.zero_point);
    }
  });
}

void quantized_add(Image<std::uint8_t> out, Quantization to, Image<const std::uint8_t> a, Quantization from_a,
                   Image<const std::uint8_t> b, Quantization from_b, CpuStream& stream) {
  const float factor_a = from_a.scale / to.scale;
  const float factor_b = from_b.scale / to.scale;
  const float shift = static_cast<float>(to.zero_point) - static_cast<float>(from_a.zero_point) * factor_a -
                      static_cast<float>(from_b.zero_point) * factor_b;
  parallel_ranges(stream, out.pixels(), pixels_of_task, [&](std::ptrdiff_t first, std::ptrdiff_t last) {
    for (std::ptrdiff_t p = first; p < last; ++p) {
      std::uint8_t* y = out.data + p * out.stride;
      const std::uint8_t* x = a.data + p * a.stride;
      const std::uint8_t* z = b.data + p * b.stride;
#pragma GCC ivdep
      for (int c = 0; c < out.c; ++c) {
        y[c] = rounded(static_cast<float>(x[c]) * factor_a + static_cast<float>(z[c]) * factor_b + shift);
      }
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

template void requantize(Image<std::uint8_t>, Quantization, Image<const std::uint8_t>, std::span<const float>,
                         std::span<const float>, bool, CpuStream&);
template void requantize(Image<std::uint8_t>, Quantization, Image<const float>, std::span<const float>,
                         std::span<const float>, bool, CpuStream&);

}  // namespace plume::kernels
