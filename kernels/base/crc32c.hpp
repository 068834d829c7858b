// CRC32C, the checksum of iSCSI, ext4 and Btrfs: one bit, or any run of up to 32, that changes is always found.
// Source: Castagnoli, Braeuer and Herrmann, "Optimization of cyclic redundancy-check codes with 24 and 32 parity bits",
// IEEE Transactions on Communications 41(6), 1993; RFC 3720, appendix B.4.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace plume {

// Of `bytes` after those whose checksum is `before` (0: there are none), by the CPU's instruction where it has one.
[[nodiscard]] std::uint32_t crc32c(std::span<const std::byte> bytes, std::uint32_t before = 0);

// The same by tables, on any CPU.
[[nodiscard]] std::uint32_t crc32c_by_tables(std::span<const std::byte> bytes, std::uint32_t before = 0);

}  // namespace plume
