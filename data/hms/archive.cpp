// Day files by name.
#include "data/hms/archive.hpp"

#include <charconv>
#include <set>
#include <string>

#include "data/images/text.hpp"
#include "kernels/base/error.hpp"

namespace plume::data {
namespace {

using std::chrono::sys_days;

constexpr std::chrono::days one_day{1};

// The day of "hms_smokeYYYYMMDD.shp" and its like; none for any other name.
std::optional<sys_days> day_of(const std::filesystem::path& path) {
  static const std::set<std::string> known{".shp", ".kml", ".geojson", ".json"};
  constexpr std::string_view prefix = "hms_smoke";
  const auto stem = lower_case(path.stem().string());
  if (!known.contains(lower_case(path.extension().string())) || !stem.starts_with(prefix) ||
      stem.size() != prefix.size() + 8)
    return std::nullopt;
  unsigned number = 0;
  const auto* const end = stem.data() + stem.size();
  const auto [stop, failed] = std::from_chars(stem.data() + prefix.size(), end, number);
  if (failed != std::errc{} || stop != end) return std::nullopt;
  const std::chrono::year_month_day day{std::chrono::year(static_cast<int>(number / 10000)),
                                        std::chrono::month(number / 100 % 100), std::chrono::day(number % 100)};
  if (!day.ok()) return std::nullopt;
  return sys_days(day);
}

}  // namespace

sys_days analysts_day(UtcTime time) {
  return std::chrono::floor<std::chrono::days>(time - smoke_day_start);
}

SmokeArchive::SmokeArchive(const std::filesystem::path& folder) {
  std::error_code failed;
  for (std::filesystem::recursive_directory_iterator entry(folder, failed), end; !failed && entry != end;
       entry.increment(failed)) {
    if (entry->path().filename().string().starts_with('.')) {  // what is being written lies in such folders
      if (entry->is_directory(failed)) entry.disable_recursion_pending();
      continue;
    }
    const auto day = day_of(entry->path());
    if (!day) continue;
    const auto [known, added] = days_.emplace(*day, entry->path());
    if (!added) throw input_error("{} and {} are of one day; keep one", known->second.string(), entry->path().string());
  }
  if (failed) throw input_error("cannot read the folder {}: {}", folder.string(), failed.message());
  if (days_.empty()) throw input_error("{} holds no hms_smokeYYYYMMDD.shp, .kml or .geojson", folder.string());
}

std::vector<std::filesystem::path> SmokeArchive::files_for(const TimeSpan& span) const {
  std::vector<std::filesystem::path> files;
  const auto end = days_.upper_bound(analysts_day(span.last) + one_day);
  for (auto day = days_.lower_bound(analysts_day(span.first) - one_day); day != end; ++day)
    files.push_back(day->second);
  return files;
}

std::optional<std::vector<SmokePolygon>> SmokeArchive::polygons_during(const TimeSpan& span) const {
  for (auto day = analysts_day(span.first); day <= analysts_day(span.last); day += one_day) {
    if (!days_.contains(day)) return std::nullopt;
  }
  std::vector<SmokePolygon> found;
  for (const auto& path : files_for(span)) {
    for (auto& polygon : read_smoke_polygons(path)) {
      if (overlap(polygon.seen, span)) found.push_back(std::move(polygon));
    }
  }
  return found;
}

}  // namespace plume::data
