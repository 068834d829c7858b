// Requests in JSON: as many numbers as the shape says, or refused.
#include <string>

#include "unet/serve/decode_json.hpp"
#include "unet/serve/status.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string text(reinterpret_cast<const char*>(data), size);
  try {
    const auto batch = plume::serve::decode_json(text, {.values = 1000});
    const auto values = std::int64_t{batch.images} * batch.height * batch.width * batch.bands;
    if (std::ssize(batch.pixels) != values || values < 1 || values > 1000) __builtin_trap();
  } catch (const plume::serve::RequestError&) {
  }
  return 0;
}
