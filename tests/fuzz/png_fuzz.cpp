// PNGs: as many values as the image has, or refused.
#include "data/images/png.hpp"
#include "kernels/base/error.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::int64_t most_values = 1 << 16;
  try {
    const auto raster =
        plume::data::decode_png({reinterpret_cast<const std::byte*>(data), size}, "input", {}, most_values);
    const std::int64_t pixels = std::int64_t{raster.height} * raster.width;
    if (std::ssize(raster.pixels) != pixels * raster.bands || pixels * raster.bands > most_values) __builtin_trap();
    if (!raster.valid.empty() && std::ssize(raster.valid) != pixels) __builtin_trap();
  } catch (const plume::Error&) {
  }
  return 0;
}
