// CDL: parsed, or refused with the line at fault.
#include <cstdint>
#include <stdexcept>

#include "data/synth/cdl.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    (void)plume::data::synth::parse_cdl({reinterpret_cast<const char*>(data), size});
  } catch (const std::logic_error&) {
  }
  return 0;
}
