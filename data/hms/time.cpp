// HMS's notation of time.
#include "data/hms/time.hpp"

#include <charconv>

#include "data/text.hpp"

namespace plume::data {
namespace {

std::optional<int> digits(std::string_view text) {
  int value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed != std::errc{} || end != text.data() + text.size() || text.starts_with('-')) return std::nullopt;
  return value;
}

}  // namespace

std::optional<UtcTime> parse_hms_time(std::string_view text) {
  using namespace std::chrono;
  text = trimmed(text);
  if (text.ends_with("UTC")) text = trimmed(text.substr(0, text.size() - 3));
  if (text.size() < 12 || text[7] != ' ') return std::nullopt;
  const auto clock = trimmed(text.substr(8));
  if (clock.size() != 4) return std::nullopt;
  const auto y = digits(text.substr(0, 4));
  const auto day = digits(text.substr(4, 3));
  const auto hour = digits(clock.substr(0, 2));
  const auto minute = digits(clock.substr(2));
  if (!y || !day || !hour || !minute) return std::nullopt;
  const bool leap = year(*y).is_leap();
  if (*day < 1 || *day > (leap ? 366 : 365) || *hour > 23 || *minute > 59) return std::nullopt;
  return sys_days(year(*y) / January / 1) + days(*day - 1) + hours(*hour) + minutes(*minute);
}

}  // namespace plume::data
