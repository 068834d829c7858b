// Names of ABI files: refused by an error of ours, or understood as a name of the same times is.
#include <fmt/core.h>

#include <string>

#include "data/abi/file_name.hpp"
#include "kernels/base/error.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace plume::data::abi;
  FileName parsed;
  try {
    parsed = parse_file_name(std::string(reinterpret_cast<const char*>(data), size));
  } catch (const plume::Error&) {
    return 0;
  }
  // Not as text: a leap second is the next minute's first.
  const FileName again = parse_file_name(fmt::format("{}_ABI-L2-FDCF-M{}_G{}_s{}_e{}_c{}.nc", parsed.environment,
                                                     parsed.mode, parsed.satellite, stamp_of(parsed.start),
                                                     stamp_of(parsed.end), stamp_of(parsed.created)));
  if (again.start != parsed.start || again.end != parsed.end || again.created != parsed.created) __builtin_trap();
  return 0;
}
