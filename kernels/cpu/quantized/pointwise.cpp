// Elementwise passes between reals and their 8-bit form, and over the latter. Compiled without fused multiply-adds.
#include <algorithm>
#include <cmath>

#include "kernels/cpu/parallel.hpp"
#include "kernels/quantized.hpp"

namespace plume::kernels {
namespace {

constexpr float largest = 255;
constexpr std::ptrdiff_t pixels_of_task = 2048;

// Rounds half up; a NaN gives least.
std::uint8_t rounded(float value, float least) {
  const float above = value > least ? value : least;
  return static_cast<std::uint8_t>(static_cast<std::int32_t>((above < largest ? above : largest) + 0.5F));
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
  std::vector<float> multiplier(factor.begin(), factor.end());
  std::vector<float> shift(term.begin(), term.end());
  for (float& m : multiplier) m /= to.scale;
  for (float& s : shift) s = s / to.scale + static_cast<float>(to.zero_point);
  const float least = relu ? to.zero_point : 0.0F;
  parallel_ranges(stream, out.pixels(), pixels_of_task, [&](std::ptrdiff_t first, std::ptrdiff_t last) {
    const float* m = multiplier.data();
    const float* s = shift.data();
    for (std::ptrdiff_t p = first; p < last; ++p) {
      std::uint8_t* y = out.data + p * out.stride;
      const In* x = in.data + p * in.stride;
#pragma GCC ivdep
      for (int c = 0; c < out.c; ++c) y[c] = rounded(static_cast<float>(x[c]) * m[c] + s[c], least);
    }
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
        y[c] = rounded(static_cast<float>(x[c]) * factor_a + static_cast<float>(z[c]) * factor_b + shift, 0);
      }
    }
  });
}

template void requantize(Image<std::uint8_t>, Quantization, Image<const std::uint8_t>, std::span<const float>,
                         std::span<const float>, bool, CpuStream&);
template void requantize(Image<std::uint8_t>, Quantization, Image<const float>, std::span<const float>,
                         std::span<const float>, bool, CpuStream&);

}  // namespace plume::kernels
