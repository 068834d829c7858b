// SHA-256. Source: FIPS 180-4.
#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace plume::unet {

// In lower-case hexadecimal, as sha256sum prints it.
[[nodiscard]] std::string sha256(std::span<const std::byte> bytes);

}  // namespace plume::unet
