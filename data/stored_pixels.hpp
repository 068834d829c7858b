// Values as a shard stores them: bytes, 16-bit numbers by scale and offset, or floats.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "kernels/base/dtype.hpp"

namespace plume::data {

// value = raw * scale + offset.
struct BandScale {
  float scale = 1;
  float offset = 0;
};

// Takes [least, most] to all of u8 or u16; a band of one value gets scale 1.
[[nodiscard]] BandScale scale_of_range(float least, float most, DType dtype);

// pixels [count, bands] to raw values of `dtype`, rounded to the nearest and held to what u8 and u16 can be; floats
// stay as they are. scales [bands].
[[nodiscard]] std::vector<std::byte> stored_pixels(std::span<const float> pixels, DType dtype,
                                                   std::span<const BandScale> scales);

}  // namespace plume::data
