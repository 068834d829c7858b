// Single values as text: in paths, queries, headers, forms and XML.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "cloud/protocols/shape.hpp"

namespace plume::cloud {

// `usual` is what TimeFormat::usual stands for there. Bytes are in base64.
[[nodiscard]] std::string to_text(const nlohmann::json& value, const Shape& shape, TimeFormat usual);

// Null where the text is no such value. Of times fractions of a second are cut off.
[[nodiscard]] nlohmann::json from_text(std::string_view text, const Shape& shape);

}  // namespace plume::cloud
