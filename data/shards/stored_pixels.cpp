// Rounding to what is stored.
#include "data/shards/stored_pixels.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <limits>

namespace plume::data {
namespace {

// To the nearest whole number, ties to even, for 0 <= value < 2^22: beyond 2^23 floats have no fractions to keep. As
// std::nearbyint, which is a call where the processor may lack SSE 4.1.
float nearest(float value) {
  constexpr float shift = 12582912;  // 1.5 * 2^23
  return (value + shift) - shift;
}

template <class T>
std::vector<std::byte> rounded(std::span<const float> pixels, std::span<const BandScale> scales) {
  std::vector<std::byte> bytes(pixels.size() * sizeof(T));
  // The buffer of a byte vector is aligned for any fundamental type.
  auto* raw = reinterpret_cast<T*>(bytes.data());
  constexpr auto most = static_cast<float>(std::numeric_limits<T>::max());
  for (std::size_t pixel = 0; pixel < pixels.size(); pixel += scales.size()) {
    for (std::size_t band = 0; band < scales.size(); ++band) {
      const float value = (pixels[pixel + band] - scales[band].offset) / scales[band].scale;
      raw[pixel + band] = static_cast<T>(nearest(std::clamp(value, 0.0F, most)));
    }
  }
  return bytes;
}

float greatest(DType dtype) {
  return dtype == DType::u8 ? 255.0F : 65535.0F;
}

}  // namespace

BandScale scale_of_range(float least, float most, DType dtype) {
  if (!(most > least)) return {1, least};
  return {(most - least) / greatest(dtype), least};
}

std::vector<std::byte> stored_pixels(std::span<const float> pixels, DType dtype, std::span<const BandScale> scales) {
  if (dtype == DType::u8) return rounded<std::uint8_t>(pixels, scales);
  if (dtype == DType::u16) return rounded<std::uint16_t>(pixels, scales);
  const auto bytes = std::as_bytes(pixels);
  return {bytes.begin(), bytes.end()};
}

}  // namespace plume::data
