// Places in the program, from return addresses: kept as 32-bit offsets, and told as file and line.
#pragma once

#include <cstdint>
#include <string>

namespace plume::emulator {

[[nodiscard]] std::uint32_t code_offset(const void* code);
[[nodiscard]] const void* code_at(std::uint32_t offset);
// "file.cu:12" where addr2line and line tables are at hand, else the offset in the program.
[[nodiscard]] std::string describe_code(const void* code);

}  // namespace plume::emulator
