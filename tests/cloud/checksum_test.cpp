#include "cloud/s3/checksum.hpp"

#include <gtest/gtest.h>

#include "cloud/s3/crc.hpp"

namespace plume::cloud {
namespace {

const std::string digits = "123456789";

std::string checksum_of(ChecksumKind kind, std::string_view text) {
  Checksum sum(kind);
  sum.add(as_bytes(text.substr(0, text.size() / 2)));
  sum.add(as_bytes(text.substr(text.size() / 2)));
  return sum.finish();
}

// The check values of the CRC catalogue (CRC-32/ISO-HDLC, CRC-32/ISCSI, CRC-64/NVME), and FIPS 180's of "abc".
TEST(Checksum, KnowsTheCheckValues) {
  EXPECT_EQ(Crc32::of(as_bytes(digits)), 0xCBF43926U);
  EXPECT_EQ(Crc32c::of(as_bytes(digits)), 0xE3069283U);
  EXPECT_EQ(Crc64Nvme::of(as_bytes(digits)), 0xAE8B14860A799888ULL);
  EXPECT_EQ(checksum_of(ChecksumKind::crc32, digits), "y/Q5Jg==");
  EXPECT_EQ(checksum_of(ChecksumKind::crc32c, digits), "4waSgw==");
  EXPECT_EQ(checksum_of(ChecksumKind::crc64nvme, digits), "rosUhgp5mIg=");
  EXPECT_EQ(checksum_of(ChecksumKind::sha256, "abc"), "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=");
}

TEST(Checksum, CombinesPieces) {
  std::string text(100'003, '\0');
  for (std::size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>(i * i >> 3);
  for (const std::size_t cut : {std::size_t{0}, std::size_t{1}, std::size_t{4096}, std::size_t{99'999}, text.size()}) {
    const auto first = as_bytes(text).first(cut);
    const auto second = as_bytes(text).subspan(cut);
    EXPECT_EQ(Crc32::combine(Crc32::of(first), Crc32::of(second), second.size()), Crc32::of(as_bytes(text)));
    EXPECT_EQ(Crc32c::combine(Crc32c::of(first), Crc32c::of(second), second.size()), Crc32c::of(as_bytes(text)));
    EXPECT_EQ(Crc64Nvme::combine(Crc64Nvme::of(first), Crc64Nvme::of(second), second.size()),
              Crc64Nvme::of(as_bytes(text)));
  }
}

TEST(Checksum, KnowsItsNames) {
  for (const ChecksumKind kind :
       {ChecksumKind::none, ChecksumKind::crc32, ChecksumKind::crc32c, ChecksumKind::crc64nvme, ChecksumKind::sha256})
    EXPECT_EQ(checksum_named(name_of(kind)), kind);
  EXPECT_EQ(checksum_named("crc64nvme"), ChecksumKind::crc64nvme);
  EXPECT_EQ(checksum_named("md5"), std::nullopt);
  EXPECT_EQ(header_of(ChecksumKind::crc32c), "x-amz-checksum-crc32c");
}

TEST(Checksum, BelievesNoComposite) {
  const auto expected = [](Headers headers) { return expected_checksum({200, std::move(headers), {}}); };
  EXPECT_EQ(expected({{"x-amz-checksum-crc32c", "4waSgw=="}})->value, "4waSgw==");
  EXPECT_FALSE(expected({{"x-amz-checksum-crc32c", "4waSgw==-3"}}));
  EXPECT_FALSE(expected({{"x-amz-checksum-sha256", "x"}, {"x-amz-checksum-type", "COMPOSITE"}}));
  EXPECT_FALSE(expected({}));
}

}  // namespace
}  // namespace plume::cloud
