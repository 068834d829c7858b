// Each kind by what computes it fastest here.
#include "cloud/s3/checksum.hpp"

#include <array>
#include <utility>

#include "cloud/s3/crc.hpp"
#include "kernels/base/base64.hpp"
#include "kernels/base/crc32c.hpp"

namespace plume::cloud {
namespace {

constexpr std::array<std::pair<ChecksumKind, std::string_view>, 4> names{{{ChecksumKind::crc64nvme, "CRC64NVME"},
                                                                          {ChecksumKind::crc32c, "CRC32C"},
                                                                          {ChecksumKind::crc32, "CRC32"},
                                                                          {ChecksumKind::sha256, "SHA256"}}};

}  // namespace

std::string_view name_of(ChecksumKind kind) {
  for (const auto& [known, name] : names)
    if (known == kind) return name;
  return "none";
}

std::string header_of(ChecksumKind kind) {
  return "x-amz-checksum-" + lower_case(name_of(kind));
}

std::optional<ChecksumKind> checksum_named(std::string_view name) {
  if (same_but_for_case(name, "none")) return ChecksumKind::none;
  for (const auto& [kind, known] : names)
    if (same_but_for_case(name, known)) return kind;
  return std::nullopt;
}

void Checksum::add(std::span<const std::byte> bytes) {
  switch (kind_) {
    case ChecksumKind::none: break;
    case ChecksumKind::crc32: crc_ = Crc32::of(bytes, static_cast<std::uint32_t>(crc_)); break;
    case ChecksumKind::crc32c: crc_ = crc32c(bytes, static_cast<std::uint32_t>(crc_)); break;
    case ChecksumKind::crc64nvme: crc_ = Crc64Nvme::of(bytes, crc_); break;
    case ChecksumKind::sha256: sha_.add(bytes); break;
  }
}

std::string Checksum::finish() {
  if (kind_ == ChecksumKind::sha256) return base64(sha_.finish());
  return text_of(kind_, std::exchange(crc_, 0));
}

bool can_combine(ChecksumKind kind) {
  return kind == ChecksumKind::crc32 || kind == ChecksumKind::crc32c || kind == ChecksumKind::crc64nvme;
}

std::uint64_t combine(ChecksumKind kind, std::uint64_t first, std::uint64_t second, std::uint64_t size) {
  const auto narrow = [](std::uint64_t value) { return static_cast<std::uint32_t>(value); };
  if (kind == ChecksumKind::crc32) return Crc32::combine(narrow(first), narrow(second), size);
  if (kind == ChecksumKind::crc32c) return Crc32c::combine(narrow(first), narrow(second), size);
  return Crc64Nvme::combine(first, second, size);
}

std::string text_of(ChecksumKind kind, std::uint64_t crc) {
  std::array<std::uint8_t, 8> bytes{};  // the highest first
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(crc >> (56 - 8 * i));
  const std::size_t size = kind == ChecksumKind::crc64nvme ? 8 : 4;
  return base64(std::as_bytes(std::span(bytes)).last(size));
}

std::optional<ExpectedChecksum> expected_checksum(const HttpResponse& response) {
  for (const auto& [kind, name] : names) {
    const std::string_view value = response.header(header_of(kind));
    const bool composite =
        value.find('-') != std::string_view::npos || response.header("x-amz-checksum-type") == "COMPOSITE";
    if (!value.empty() && !composite) return ExpectedChecksum{kind, std::string(value)};
  }
  return std::nullopt;
}

}  // namespace plume::cloud
