// Headers that name media types: whatever is chosen was on offer.
#include <algorithm>
#include <array>
#include <string_view>

#include "unet/serve/media_type.hpp"
#include "unet/serve/status.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  static constexpr std::array<std::string_view, 2> offered{"application/json", "image/png"};
  static_cast<void>(plume::serve::parse_media_type(text));
  try {
    const auto chosen = plume::serve::choose_type(plume::serve::parse_accept(text), offered);
    if (chosen && std::find(offered.begin(), offered.end(), chosen->name) == offered.end()) __builtin_trap();
  } catch (const plume::serve::RequestError&) {
  }
  return 0;
}
