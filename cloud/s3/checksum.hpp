// S3's checksums of an object or a part.
// Source: Amazon S3 User Guide, "Checking object integrity".
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "cloud/http/message.hpp"
#include "cloud/signing/digest.hpp"

namespace plume::cloud {

enum class ChecksumKind { none, crc32, crc32c, crc64nvme, sha256 };

[[nodiscard]] std::string_view name_of(ChecksumKind kind);                        // CRC32C
[[nodiscard]] std::string header_of(ChecksumKind kind);                           // x-amz-checksum-crc32c
[[nodiscard]] std::optional<ChecksumKind> checksum_named(std::string_view name);  // in any case

// Of bytes that come in pieces.
class Checksum {
 public:
  explicit Checksum(ChecksumKind kind) : kind_(kind) {}
  void add(std::span<const std::byte> bytes);
  // In base64, as headers have it. Begins anew.
  [[nodiscard]] std::string finish();
  // Of a CRC: its value, for combining. Does not begin anew.
  [[nodiscard]] std::uint64_t value() const noexcept { return crc_; }

 private:
  ChecksumKind kind_;
  std::uint64_t crc_ = 0;
  Sha256 sha_;
};

// Whether a whole's check follows from its parts'.
[[nodiscard]] bool can_combine(ChecksumKind kind);
[[nodiscard]] std::uint64_t combine(ChecksumKind kind, std::uint64_t first, std::uint64_t second, std::uint64_t size);
// A CRC's value in base64.
[[nodiscard]] std::string text_of(ChecksumKind kind, std::uint64_t crc);

// What a reply says of the object's own bytes; nothing where it says nothing that plume can check (a composite, whose
// value ends in "-N", is one of parts' checksums).
struct ExpectedChecksum {
  ChecksumKind kind;
  std::string value;  // base64
};
[[nodiscard]] std::optional<ExpectedChecksum> expected_checksum(const HttpResponse& response);

}  // namespace plume::cloud
