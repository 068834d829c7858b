// Moments as requests and replies write them, all of them UTC.
// Source: RFC 3339; RFC 9110, section 5.6.7.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace plume::cloud {

using Time = std::chrono::sys_seconds;

[[nodiscard]] std::string amz_time(Time time);   // 20130524T000000Z
[[nodiscard]] std::string amz_date(Time time);   // 20130524
[[nodiscard]] std::string iso_time(Time time);   // 2013-05-24T00:00:00Z
[[nodiscard]] std::string http_date(Time time);  // Fri, 24 May 2013 00:00:00 GMT

// Any of these, of ISO 8601 also with fractions, which are cut off, and an offset from UTC (+01:00); nothing where the
// text is none.
[[nodiscard]] std::optional<Time> parse_time(std::string_view text);

}  // namespace plume::cloud
