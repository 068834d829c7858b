// NumPy arrays: as many values as the shape says, or refused.
#include "data/images/npy.hpp"
#include "input_file.hpp"
#include "kernels/base/error.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const plume::tests::InputFile file(data, size);
  try {
    const auto array = plume::data::read_npy(file.path());
    std::size_t values = 1;
    for (const auto extent : array.shape) values *= static_cast<std::size_t>(extent);
    if (array.values.size() != values) __builtin_trap();
  } catch (const plume::Error&) {
  }
  return 0;
}
