// Bytes as text, and back. Source: RFC 4648, section 4.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace plume {

[[nodiscard]] std::string base64(std::span<const std::byte> bytes);
[[nodiscard]] inline std::string base64(std::string_view text) {
  return base64(std::as_bytes(std::span(text)));
}
template <std::size_t Size>
[[nodiscard]] std::string base64(const std::array<std::uint8_t, Size>& bytes) {
  return base64(std::as_bytes(std::span(bytes)));
}

// Nothing where the text is no base64: its digits in groups of four, the last one filled up with '=', and no other
// character.
[[nodiscard]] std::optional<std::string> from_base64(std::string_view text);

}  // namespace plume
