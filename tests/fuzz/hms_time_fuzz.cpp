// Times in HMS's files and on the command line: a date that there is, in a year of four digits, or none.
#include <chrono>
#include <cstdint>

#include "data/hms/time.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const auto& time : {plume::data::parse_hms_time(text), plume::data::parse_iso_time(text)}) {
    if (!time) continue;
    const std::chrono::year_month_day date(std::chrono::floor<std::chrono::days>(*time));
    if (!date.ok() || int{date.year()} < 0 || int{date.year()} > 9999) __builtin_trap();
  }
  return 0;
}
