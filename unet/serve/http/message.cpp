// Headers by name, and answers that tell of errors.
#include "unet/serve/http/message.hpp"

#include <algorithm>
#include <cctype>

namespace plume::serve::http {

bool same_name(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return std::tolower(static_cast<unsigned char>(c)); };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [&](char x, char y) { return lower(x) == lower(y); });
}

std::string_view Request::header(std::string_view name) const {
  for (const Header& header : headers) {
    if (same_name(header.name, name)) return header.value;
  }
  return {};
}

Response problem(Status status, std::string_view detail, std::string_view request_id) {
  return {status, "application/json", error_body(status, detail, request_id), {}};
}

}  // namespace plume::serve::http
