// Header names know no case.
#include "cloud/signing/headers.hpp"

#include <algorithm>

namespace plume::cloud {

std::string lower_case(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = lower_case(c);
  return lower;
}

bool same_but_for_case(std::string_view one, std::string_view other) {
  return std::equal(one.begin(), one.end(), other.begin(), other.end(),
                    [](char a, char b) { return lower_case(a) == lower_case(b); });
}

const std::string* find_header(const Headers& headers, std::string_view name) {
  for (const Header& header : headers)
    if (same_but_for_case(header.name, name)) return &header.value;
  return nullptr;
}

void set_header(Headers& headers, std::string_view name, std::string value) {
  std::erase_if(headers, [&](const Header& header) { return same_but_for_case(header.name, name); });
  headers.push_back({std::string(name), std::move(value)});
}

}  // namespace plume::cloud
