// HMS's notation of time, and the usual one.
#include "data/hms/time.hpp"

#include <charconv>

#include "data/images/text.hpp"

namespace plume::data {
namespace {

std::optional<int> digits(std::string_view text) {
  int value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed != std::errc{} || end != text.data() + text.size() || text.starts_with('-')) return std::nullopt;
  return value;
}

std::optional<UtcTime> at_clock(std::chrono::sys_days day, std::string_view hour, std::string_view minute) {
  const auto h = digits(hour);
  const auto m = digits(minute);
  if (!h || !m || *h > 23 || *m > 59) return std::nullopt;
  return day + std::chrono::hours(*h) + std::chrono::minutes(*m);
}

}  // namespace

std::optional<UtcTime> parse_hms_time(std::string_view text) {
  using namespace std::chrono;
  text = trimmed(text);
  if (text.ends_with("UTC")) text = trimmed(text.substr(0, text.size() - 3));
  if (text.size() < 12 || text[7] != ' ') return std::nullopt;
  const auto clock = trimmed(text.substr(8));
  const auto y = digits(text.substr(0, 4));
  const auto day = digits(text.substr(4, 3));
  if (clock.size() != 4 || !y || !day || *day < 1 || *day > (year(*y).is_leap() ? 366 : 365)) return std::nullopt;
  return at_clock(sys_days(year(*y) / January / 1) + days(*day - 1), clock.substr(0, 2), clock.substr(2));
}

std::optional<UtcTime> parse_iso_time(std::string_view text) {
  using namespace std::chrono;
  if (text.ends_with('Z')) text.remove_suffix(1);
  if (text.size() != 16 || text[4] != '-' || text[7] != '-' || text[10] != 'T' || text[13] != ':') return std::nullopt;
  const auto y = digits(text.substr(0, 4));
  const auto m = digits(text.substr(5, 2));
  const auto d = digits(text.substr(8, 2));
  if (!y || !m || !d) return std::nullopt;
  const year_month_day date{year(*y), month(static_cast<unsigned>(*m)), day(static_cast<unsigned>(*d))};
  if (!date.ok()) return std::nullopt;
  return at_clock(sys_days(date), text.substr(11, 2), text.substr(14));
}

}  // namespace plume::data
