// SHA-256 and HMAC by OpenSSL's libcrypto, and the two ways to write bytes as text.
// Source: FIPS 180-4; RFC 2104; RFC 4648.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace plume::cloud {

using Digest = std::array<std::uint8_t, 32>;

[[nodiscard]] inline std::span<const std::byte> as_bytes(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

// Of bytes that come in pieces.
class Sha256 {
 public:
  Sha256();
  void add(std::span<const std::byte> bytes);
  void add(std::string_view text) { add(as_bytes(text)); }
  // Of all that was added; begins anew.
  [[nodiscard]] Digest finish();

 private:
  struct Free {
    void operator()(void* context) const noexcept;
  };
  std::unique_ptr<void, Free> context_;
};

[[nodiscard]] Digest sha256(std::span<const std::byte> bytes);
[[nodiscard]] inline Digest sha256(std::string_view text) {
  return sha256(as_bytes(text));
}

[[nodiscard]] Digest hmac_sha256(std::span<const std::uint8_t> key, std::string_view message);
[[nodiscard]] inline Digest hmac_sha256(std::string_view key, std::string_view message) {
  return hmac_sha256({reinterpret_cast<const std::uint8_t*>(key.data()), key.size()}, message);
}

// 40 hexadecimal digits; the names of single sign-on's cached tokens, not a protection of anything.
[[nodiscard]] std::string sha1_hex(std::string_view text);

// Lower case.
[[nodiscard]] std::string hex(std::span<const std::uint8_t> bytes);

[[nodiscard]] std::string base64(std::span<const std::uint8_t> bytes);
[[nodiscard]] inline std::string base64(std::string_view text) {
  return base64({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
}
// Nothing where the text is no base64.
[[nodiscard]] std::optional<std::string> from_base64(std::string_view text);

}  // namespace plume::cloud
