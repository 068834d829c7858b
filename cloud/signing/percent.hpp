// Percent-encoding as Signature Version 4 wants it, and paths without dots.
// Source: RFC 3986, sections 2.1, 2.3 and 5.2.4.
#pragma once

#include <string>
#include <string_view>

namespace plume::cloud {

// All but letters, digits and -._~ becomes %XX, in upper case; with Slashes::kept a slash stays.
enum class Slashes { encoded, kept };
[[nodiscard]] std::string percent_encode(std::string_view text, Slashes slashes = Slashes::encoded);

// %XX becomes a byte; what is no such triple stays as it is. A plus stays a plus.
[[nodiscard]] std::string percent_decode(std::string_view text);

// Without empty segments, "." and ".."; begins with a slash, and ends with one where the path did.
[[nodiscard]] std::string without_dots(std::string_view path);

}  // namespace plume::cloud
