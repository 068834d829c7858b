// SHA-256, HMAC and MD5 by OpenSSL's libcrypto, and digests as text.
// Source: FIPS 180-4; RFC 2104; RFC 1321.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace plume::cloud {

[[nodiscard]] inline std::span<const std::byte> as_bytes(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

// Of bytes that come in pieces, by the algorithm whose digests have this size.
template <std::size_t Size>
class Hash {
 public:
  Hash();
  void add(std::span<const std::byte> bytes);
  void add(std::string_view text) { add(as_bytes(text)); }
  // Of all that was added; begins anew.
  [[nodiscard]] std::array<std::uint8_t, Size> finish();

 private:
  struct Free {
    void operator()(void* context) const noexcept;
  };
  std::unique_ptr<void, Free> context_;
};
using Sha256 = Hash<32>;
using Md5 = Hash<16>;  // protects nothing, and names objects and parts of S3
using Digest = std::array<std::uint8_t, 32>;

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
void append_hex(std::string& text, std::span<const std::uint8_t> bytes);
[[nodiscard]] std::string hex(std::span<const std::uint8_t> bytes);

}  // namespace plume::cloud
