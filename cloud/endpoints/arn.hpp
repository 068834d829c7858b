// Amazon Resource Names.
// Source: AWS General Reference, "Amazon Resource Names (ARNs)".
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace plume::cloud {

struct Arn {
  std::string partition;
  std::string service;
  std::string region;
  std::string account;
  std::vector<std::string> resource;  // what colons and slashes part
};

// Nothing where the text is none.
[[nodiscard]] std::optional<Arn> parse_arn(std::string_view text);

}  // namespace plume::cloud
