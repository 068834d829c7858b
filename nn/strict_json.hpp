// JSON as plume accepts it from files: well formed, no key twice in an object, no deep nesting.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>

namespace plume::nn {

// Throws input_error saying what is wrong; the caller's message says in which file. RFC 8259 leaves duplicate keys
// open, and parsers differ on which one wins, so a file that has them means different things to different readers.
[[nodiscard]] nlohmann::json parse_strict_json(std::string_view text);

// The value as an int, if it is a whole number that an int holds. (get<int>() would wrap.)
[[nodiscard]] std::optional<int> as_int(const nlohmann::json& value);

}  // namespace plume::nn
