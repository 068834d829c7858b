// arn:partition:service:region:account:resource
#include "cloud/endpoints/arn.hpp"

#include <algorithm>

namespace plume::cloud {

std::optional<Arn> parse_arn(std::string_view text) {
  // What stands before the first of these characters, taken away.
  const auto next = [&](const char* separators) {
    const std::size_t end = std::min(text.find_first_of(separators), text.size());
    std::string part(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    return part;
  };
  if (std::count(text.begin(), text.end(), ':') < 5 || next(":") != "arn") return std::nullopt;
  Arn arn;
  arn.partition = next(":");
  arn.service = next(":");
  arn.region = next(":");
  arn.account = next(":");
  if (arn.partition.empty() || arn.service.empty() || text.empty()) return std::nullopt;
  bool more = true;
  while (more) {
    more = text.find_first_of(":/") != std::string_view::npos;
    arn.resource.push_back(next(":/"));
  }
  return arn;
}

}  // namespace plume::cloud
