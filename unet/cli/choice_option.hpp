// Options whose values are names of an enumeration's.
#pragma once

#include <CLI/CLI.hpp>
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace plume::unet {

// `names`, as users write them, must outlive the command, as must `value`, which is the default.
template <class Enum>
CLI::Option* add_choice(CLI::App& command, const char* flag, const char* help, Enum& value,
                        const std::vector<std::pair<std::string, Enum>>& names) {
  std::vector<std::string> allowed;
  allowed.reserve(names.size());
  for (const auto& pair : names) allowed.push_back(pair.first);
  return command
      .add_option_function<std::string>(
          flag,
          [&value, &names](const std::string& name) {
            value =
                std::find_if(names.begin(), names.end(), [&](const auto& pair) { return pair.first == name; })->second;
          },
          help)
      ->check(CLI::IsMember(allowed));
}

}  // namespace plume::unet
