// Canonical requests: whatever a path or query holds, its canonical form is its own canonical form, and means the same.
#include <cstdint>

#include "cloud/signing/canonical.hpp"
#include "cloud/signing/percent.hpp"
#include "cloud/signing/time.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace plume::cloud;
  const std::string text(reinterpret_cast<const char*>(data), size);
  const std::string query = canonical_query(text);
  if (canonical_query(query) != query) __builtin_trap();
  if (percent_decode(percent_encode(text)) != text) __builtin_trap();
  const std::string path = without_dots(text);
  if (path.front() != '/' || without_dots(path) != path) __builtin_trap();
  if (const auto time = parse_time(text); time && parse_time(iso_time(*time)) != time) __builtin_trap();
  const Headers headers{{"host", text}, {text, text}};
  if (canonical_request({"GET", text, text, headers}, {}, unsigned_payload).signed_headers.empty()) __builtin_trap();
  return 0;
}
