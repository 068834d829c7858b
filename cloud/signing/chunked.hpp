// Bodies in the encoding aws-chunked: each chunk signed, so that a body can be sent before it is known to the end, and
// trailers, such as a checksum, behind it.
// Source: Amazon S3 API Reference, "Signature Calculations for the Authorization Header: Transferring Payload in
// Multiple Chunks", and the same "Including Trailing Headers".
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "cloud/signing/sigv4.hpp"

namespace plume::cloud {

// What x-amz-content-sha256 says.
inline constexpr std::string_view streaming_payload = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD";
inline constexpr std::string_view streaming_payload_trailer = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER";
inline constexpr std::string_view streaming_unsigned_trailer = "STREAMING-UNSIGNED-PAYLOAD-TRAILER";

// Every chunk but the last has at least so many bytes, or S3 answers InvalidChunkSizeError.
inline constexpr std::size_t least_chunk = 8192;

// What stands before and after the bytes of a body's chunks; each part hangs on those before it. With a key it signs.
class ChunkFrames {
 public:
  ChunkFrames() = default;  // unsigned
  ChunkFrames(SigningKey key, Time time, std::string seed_signature)
      : key_(std::move(key)), time_(time), previous_(std::move(seed_signature)) {}

  // Before a chunk's bytes, of which there is at least one; a line break ("\r\n") comes after them.
  [[nodiscard]] std::string before(std::span<const std::byte> chunk);
  // After the last: the empty chunk, trailers (names in lower case, sorted), and a trailer's signature.
  [[nodiscard]] std::string end(const Headers& trailers);
  // Of what came last.
  [[nodiscard]] const std::string& signature() const noexcept { return previous_; }

 private:
  void sign(std::string_view what, std::string_view hashes);
  [[nodiscard]] std::string size_line(std::span<const std::byte> chunk);

  std::optional<SigningKey> key_;
  Time time_{};
  std::string previous_;
};

// Bytes that `size` bytes take when encoded in chunks of `chunk`; end(trailers) included. Content-Length is this,
// x-amz-decoded-content-length is `size`.
[[nodiscard]] std::uint64_t chunked_size(std::uint64_t size, std::uint64_t chunk, bool with_signatures,
                                         const Headers& trailers);

}  // namespace plume::cloud
