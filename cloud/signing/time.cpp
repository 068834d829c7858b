// By <chrono>'s calendar; the system's locale and zone have no part in it.
#include "cloud/signing/time.hpp"

#include <fmt/core.h>

#include <array>
#include <charconv>

namespace plume::cloud {
namespace {

using namespace std::chrono;

constexpr std::array<std::string_view, 7> weekdays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr std::array<std::string_view, 12> months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                  "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

struct Parts {
  year_month_day date;
  hh_mm_ss<seconds> clock;
  weekday day;
};

Parts parts_of(Time time) {
  const auto day = floor<days>(time);
  return {year_month_day(day), hh_mm_ss<seconds>(time - day), weekday(day)};
}

int year_of(const Parts& parts) {
  return static_cast<int>(parts.date.year());
}

// Digits and literals in turn, from the front of a text.
class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  int number(std::size_t digits) {
    unsigned value = 0;
    if (rest_.size() < digits) return fail();
    const char* const end = rest_.data() + digits;
    const auto [stop, error] = std::from_chars(rest_.data(), end, value);
    if (error != std::errc() || stop != end) return fail();
    rest_.remove_prefix(digits);
    return static_cast<int>(value);
  }
  bool maybe(std::string_view literal) {
    if (!rest_.starts_with(literal)) return false;
    rest_.remove_prefix(literal.size());
    return true;
  }
  void literal(std::string_view text) {
    if (!maybe(text)) fail();
  }
  template <std::size_t N>
  int one_of(const std::array<std::string_view, N>& names) {
    for (std::size_t i = 0; i < N; ++i)
      if (maybe(names[i])) return static_cast<int>(i);
    return fail();
  }
  void skip_digits() {
    const std::size_t end = std::min(rest_.find_first_not_of("0123456789"), rest_.size());
    if (end == 0) fail();
    rest_.remove_prefix(end);
  }
  [[nodiscard]] bool whole() const { return valid_ && rest_.empty(); }

 private:
  int fail() {
    valid_ = false;
    return 0;
  }
  std::string_view rest_;
  bool valid_ = true;
};

std::optional<Time> moment(const Reader& reader, int y, int m, int d, int hour, int minute, int second) {
  const year_month_day date{year(y), month(static_cast<unsigned>(m)), day(static_cast<unsigned>(d))};
  if (!reader.whole() || !date.ok() || hour > 23 || minute > 59 || second > 60) return std::nullopt;
  return sys_days(date) + hours(hour) + minutes(minute) + seconds(second);
}

std::optional<Time> parse_http(std::string_view text) {
  Reader reader(text);
  reader.one_of(weekdays);
  reader.literal(", ");
  const int d = reader.number(2);
  reader.literal(" ");
  const int m = reader.one_of(months) + 1;
  reader.literal(" ");
  const int y = reader.number(4);
  reader.literal(" ");
  const int hour = reader.number(2);
  reader.literal(":");
  const int minute = reader.number(2);
  reader.literal(":");
  const int second = reader.number(2);
  if (reader.maybe(".")) reader.skip_digits();
  reader.literal(" GMT");
  return moment(reader, y, m, d, hour, minute, second);
}

// With dashes and colons, or without any.
std::optional<Time> parse_iso(std::string_view text) {
  Reader reader(text);
  const int y = reader.number(4);
  const bool basic = !reader.maybe("-");
  const int m = reader.number(2);
  if (!basic) reader.literal("-");
  const int d = reader.number(2);
  if (!reader.maybe("t")) reader.literal("T");
  const int hour = reader.number(2);
  if (!basic) reader.literal(":");
  const int minute = reader.number(2);
  if (!basic) reader.literal(":");
  const int second = reader.number(2);
  if (reader.maybe(".")) reader.skip_digits();
  int sign = 0;
  if (reader.maybe("+")) sign = 1;
  if (reader.maybe("-")) sign = -1;
  minutes offset{0};
  if (sign != 0) {
    const int offset_hours = reader.number(2);
    reader.literal(":");
    offset = sign * (hours(offset_hours) + minutes(reader.number(2)));
  } else if (!reader.maybe("z")) {
    reader.literal("Z");
  }
  const auto time = moment(reader, y, m, d, hour, minute, second);
  if (!time) return std::nullopt;
  const Time utc = *time - offset;
  const int its_year = year_of(parts_of(utc));
  return its_year >= 0 && its_year <= 9999 ? std::optional<Time>(utc) : std::nullopt;
}

}  // namespace

std::string amz_time(Time time) {
  const Parts parts = parts_of(time);
  return fmt::format("{}T{:02}{:02}{:02}Z", amz_date(time), parts.clock.hours().count(), parts.clock.minutes().count(),
                     parts.clock.seconds().count());
}

std::string amz_date(Time time) {
  const Parts parts = parts_of(time);
  return fmt::format("{:04}{:02}{:02}", year_of(parts), static_cast<unsigned>(parts.date.month()),
                     static_cast<unsigned>(parts.date.day()));
}

std::string iso_time(Time time) {
  const Parts parts = parts_of(time);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", year_of(parts), static_cast<unsigned>(parts.date.month()),
                     static_cast<unsigned>(parts.date.day()), parts.clock.hours().count(),
                     parts.clock.minutes().count(), parts.clock.seconds().count());
}

std::string http_date(Time time) {
  const Parts parts = parts_of(time);
  return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT", weekdays[parts.day.c_encoding()],
                     static_cast<unsigned>(parts.date.day()), months[static_cast<unsigned>(parts.date.month()) - 1],
                     year_of(parts), parts.clock.hours().count(), parts.clock.minutes().count(),
                     parts.clock.seconds().count());
}

std::optional<Time> parse_time(std::string_view text) {
  const bool begins_with_digit = !text.empty() && text.front() >= '0' && text.front() <= '9';
  return begins_with_digit ? parse_iso(text) : parse_http(text);
}

}  // namespace plume::cloud
