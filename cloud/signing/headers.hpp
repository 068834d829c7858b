// An HTTP message's header fields, in the order in which they are sent.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace plume::cloud {

struct Header {
  std::string name;
  std::string value;
};
using Headers = std::vector<Header>;

[[nodiscard]] constexpr char lower_case(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}
[[nodiscard]] std::string lower_case(std::string_view text);
[[nodiscard]] bool same_but_for_case(std::string_view one, std::string_view other);

// The first of that name in any case; nullptr: none.
[[nodiscard]] const std::string* find_header(const Headers& headers, std::string_view name);

// Replaces all of that name by one.
void set_header(Headers& headers, std::string_view name, std::string value);

}  // namespace plume::cloud
