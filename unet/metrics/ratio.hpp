// A part of a whole, where the whole may be nothing.
#pragma once

#include <cstdint>

namespace plume::unet {

// Of an empty whole: 1 where that is right, as where there was nothing to find and nothing was found; else 0.
[[nodiscard]] constexpr double ratio(std::int64_t part, std::int64_t whole, bool empty_is_right = false) {
  if (whole == 0) return empty_is_right ? 1.0 : 0.0;
  return static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace plume::unet
