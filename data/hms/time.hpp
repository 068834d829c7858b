// When smoke was seen: HMS's times and spans of them.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

namespace plume::data {

using UtcTime = std::chrono::sys_seconds;

// Both ends belong to it.
struct TimeSpan {
  UtcTime first;
  UtcTime last;
  bool operator==(const TimeSpan&) const = default;
};

[[nodiscard]] inline bool overlap(const TimeSpan& a, const TimeSpan& b) {
  return a.first <= b.last && b.first <= a.last;
}

// "YYYYDDD HHMM" (year, day of the year from 1, hour and minute in UTC), as in HMS's files since 2005; "UTC" may
// follow, as in its KML. None for any other text and for a time that no clock shows.
[[nodiscard]] std::optional<UtcTime> parse_hms_time(std::string_view text);

}  // namespace plume::data
