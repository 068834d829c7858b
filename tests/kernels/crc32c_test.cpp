// CRC32C against the standard's examples, by either way.
#include "kernels/base/crc32c.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <string_view>
#include <vector>

#include "kernels/base/philox.hpp"

namespace plume::tests {
namespace {

using Bytes = std::vector<std::byte>;

// Source: RFC 3720, appendix B.4; the last is the usual check value of CRC catalogues.
TEST(Crc32c, TheStandardsExamples) {
  Bytes rising(32);
  for (std::size_t i = 0; i < rising.size(); ++i) rising[i] = static_cast<std::byte>(i);
  Bytes falling(rising.rbegin(), rising.rend());
  const auto digits = std::as_bytes(std::span(std::string_view("123456789")));
  for (const auto checksum : {crc32c, crc32c_by_tables}) {
    EXPECT_EQ(checksum(Bytes(32), 0), 0x8A9136AAU);
    EXPECT_EQ(checksum(Bytes(32, std::byte{0xFF}), 0), 0x62A8AB43U);
    EXPECT_EQ(checksum(rising, 0), 0x46DD794EU);
    EXPECT_EQ(checksum(falling, 0), 0x113FDB5CU);
    EXPECT_EQ(checksum(digits, 0), 0xE3069283U);
    EXPECT_EQ(checksum({}, 0), 0U);
  }
}

TEST(Crc32c, BothWaysAndInPieces) {
  Philox draw(1, 2);
  Bytes bytes(1000);
  for (auto& byte : bytes) byte = static_cast<std::byte>(draw.next());
  const std::span all(bytes);
  const auto whole = crc32c(all);
  for (std::size_t first = 0; first < 20; ++first) {
    EXPECT_EQ(crc32c_by_tables(all.subspan(first)), crc32c(all.subspan(first))) << first;
    EXPECT_EQ(crc32c(all.subspan(first), crc32c(all.first(first))), whole) << first;
    EXPECT_EQ(crc32c_by_tables(all.subspan(first), crc32c_by_tables(all.first(first))), whole) << first;
  }
}

TEST(Crc32c, EveryFlippedBitShows) {
  Bytes bytes(100, std::byte{0x5A});
  const auto whole = crc32c(bytes);
  for (std::size_t bit = 0; bit < 800; ++bit) {
    bytes[bit / 8] ^= static_cast<std::byte>(1U << bit % 8);
    EXPECT_NE(crc32c(bytes), whole) << bit;
    bytes[bit / 8] ^= static_cast<std::byte>(1U << bit % 8);
  }
}

}  // namespace
}  // namespace plume::tests
