// Patterns with names in braces, as AWS's models have for hosts and paths.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace plume::cloud {

// The pattern with value_of(name) in place of each {name}; a brace that is not closed stays, with what follows.
template <class ValueOf>
[[nodiscard]] std::string fill_in(std::string_view pattern, const ValueOf& value_of) {
  std::string text;
  while (true) {
    const std::size_t open = pattern.find('{');
    text += pattern.substr(0, open);
    if (open == std::string_view::npos) return text;
    const std::size_t close = pattern.find('}', open);
    if (close == std::string_view::npos) return text.append(pattern.substr(open));
    text += value_of(pattern.substr(open + 1, close - open - 1));
    pattern.remove_prefix(close + 1);
  }
}

}  // namespace plume::cloud
