// Checkpoints: every tensor lies within the file, or the file is refused.
#include "input_file.hpp"
#include "kernels/base/error.hpp"
#include "nn/safetensors.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const plume::tests::InputFile file(data, size);
  try {
    const plume::nn::SafetensorsFile opened(file.path());
    for (const auto& tensor : opened.tensors()) {
      if (opened.bytes(tensor).size() != tensor.bytes || opened.find(tensor.name) == nullptr) __builtin_trap();
      try {
        (void)opened.floats(tensor.name);
      } catch (const plume::Error&) {  // of a type without floats
      }
    }
  } catch (const plume::Error&) {
  }
  return 0;
}
