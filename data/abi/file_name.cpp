// Takes the name apart from left to right.
#include "data/abi/file_name.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "kernels/base/error.hpp"

namespace plume::data::abi {
namespace {

using namespace std::chrono;

// Digits alone, no sign, nothing left over.
std::optional<int> number_in(std::string_view digits) {
  int value = 0;
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (digits.empty() || digits.size() > 9 || !std::all_of(digits.begin(), digits.end(), is_digit)) return std::nullopt;
  std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return value;
}

std::optional<int> number_within(std::string_view digits, int least, int most) {
  const auto value = number_in(digits);
  return value && *value >= least && *value <= most ? value : std::nullopt;
}

// Hands out a name's parts in turn, and complains of the one at hand.
class Parts {
 public:
  explicit Parts(std::string_view name) : name_(name), rest_(name) {}

  // What comes before the separator, which is passed over.
  std::string_view before(char separator, const char* what) {
    const auto end = rest_.find(separator);
    if (end == std::string_view::npos) throw wrong(what, rest_);
    const auto part = rest_.substr(0, end);
    rest_.remove_prefix(end + 1);
    return part;
  }

  [[nodiscard]] Error wrong(const char* what, std::string_view part) const {
    return input_error("{} is no name of an ABI file: '{}' is no {}", name_, part, what);
  }

 private:
  std::string_view name_;
  std::string_view rest_;
};

// "RadM1" to "Rad" and "M1"; "CMIPF" to "CMIP" and "F".
std::optional<std::array<std::string_view, 2>> split_sector(std::string_view product) {
  for (const std::string_view sector : {"F", "C", "M1", "M2"}) {
    if (product.size() > sector.size() && product.ends_with(sector))
      return std::array{product.substr(0, product.size() - sector.size()), sector};
  }
  return std::nullopt;
}

Time time_after(Parts& parts, char letter, char separator, const char* what) {
  const auto part = parts.before(separator, what);
  const auto time = part.starts_with(letter) ? time_of_stamp(part.substr(1)) : std::nullopt;
  if (!time) throw parts.wrong(what, part);
  return *time;
}

}  // namespace

FileName parse_file_name(const std::filesystem::path& path) {
  const std::string name = path.filename().string();
  Parts parts(name);
  FileName result;
  const auto environment = parts.before('_', "system environment, as OR");
  if (environment.size() != 2) throw parts.wrong("system environment, as OR", environment);
  result.environment = std::string(environment);
  const auto instrument = parts.before('-', "instrument ABI");
  if (instrument != "ABI") throw parts.wrong("instrument ABI", instrument);
  const auto level = parts.before('-', "level, L1b or L2");
  if (level != "L1b" && level != "L2") throw parts.wrong("level, L1b or L2", level);
  const auto product = parts.before('-', "product");
  const auto halves = split_sector(product);
  if (!halves) throw parts.wrong("product with its sector, as RadF, RadC, RadM1", product);
  result.product = fmt::format("{}-{}", level, (*halves)[0]);
  result.sector = std::string((*halves)[1]);

  const auto scan = parts.before('_', "mode and channel, as M6C01");
  const auto mode = scan.starts_with('M') ? number_within(scan.substr(1, 1), 1, 9) : std::nullopt;
  if (!mode) throw parts.wrong("mode and channel, as M6C01", scan);
  result.mode = *mode;
  if (scan.size() > 2) {
    const auto channel = scan.size() == 5 && scan[2] == 'C' ? number_within(scan.substr(3), 1, 16) : std::nullopt;
    if (!channel) throw parts.wrong("mode and channel, as M6C01", scan);
    result.channel = *channel;
  }
  const auto satellite = parts.before('_', "satellite, G16 to G19");
  const auto number = satellite.starts_with('G') ? number_within(satellite.substr(1), 16, 19) : std::nullopt;
  if (!number) throw parts.wrong("satellite, G16 to G19", satellite);
  result.satellite = *number;
  result.start = time_after(parts, 's', '_', "start, sYYYYDDDHHMMSSs");
  result.end = time_after(parts, 'e', '_', "end, eYYYYDDDHHMMSSs");
  result.created = time_after(parts, 'c', '.', "creation, cYYYYDDDHHMMSSs");
  if (!name.ends_with(".nc") || name.find('.') != name.size() - 3)
    throw parts.wrong("ending .nc", name.substr(name.find('.')));
  if (result.end < result.start) throw input_error("{} is no name of an ABI file: it ends before it starts", name);
  return result;
}

bool is_abi_name(const std::filesystem::path& path) {
  const std::string name = path.filename().string();
  return name.size() > 10 && std::string_view(name).substr(2).starts_with("_ABI-") && name.ends_with(".nc");
}

std::string text_of(Time time) {
  const auto day = floor<days>(time);
  const year_month_day date(day);
  const auto tenths = (time - day).count();
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), tenths / 36000,
                     tenths / 600 % 60, tenths / 10 % 60, tenths % 10);
}

std::string stamp_of(Time time) {
  const auto day = floor<days>(time);
  const year_month_day date(day);
  const auto tenths = (time - day).count();
  return fmt::format("{:04}{:03}{:02}{:02}{:02}{}", static_cast<int>(date.year()),
                     (day - sys_days(date.year() / January / 1)).count() + 1, tenths / 36000, tenths / 600 % 60,
                     tenths / 10 % 60, tenths % 10);
}

std::optional<Time> time_of_stamp(std::string_view stamp) {
  if (stamp.size() != 14) return std::nullopt;
  const auto year_number = number_within(stamp.substr(0, 4), 2000, 9999);
  if (!year_number) return std::nullopt;
  const year in{*year_number};
  const auto day = number_within(stamp.substr(4, 3), 1, in.is_leap() ? 366 : 365);
  const auto hour = number_within(stamp.substr(7, 2), 0, 23);
  const auto minute = number_within(stamp.substr(9, 2), 0, 59);
  const auto second = number_within(stamp.substr(11, 2), 0, 60);  // 60: a leap second
  const auto tenth = number_within(stamp.substr(13, 1), 0, 9);
  if (!day || !hour || !minute || !second || !tenth) return std::nullopt;
  return Time(sys_days(in / January / 1) + days(*day - 1) + hours(*hour) + minutes(*minute) + seconds(*second) +
              duration<std::int64_t, std::deci>(*tenth));
}

}  // namespace plume::data::abi
