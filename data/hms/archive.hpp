// A folder of HMS day files, asked for the smoke of a time.
#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <optional>
#include <vector>

#include "data/hms/polygons.hpp"

namespace plume::data {

// The analysts' day: what they draw in the daylight of the Americas goes into the file of the day on which it began,
// beyond midnight UTC. From 06:00 UTC of a day to 06:00 UTC of the next, times belong to the file of the first.
inline constexpr std::chrono::hours smoke_day_start{6};

// Const and thread-safe after construction.
class SmokeArchive {
 public:
  // Day files are `hms_smokeYYYYMMDD` with .shp, .kml, .geojson or .json, in the folder or below it (NOAA keeps them by
  // year and month). Throws input_error: no such folder, no day file in it, two files of one day.
  explicit SmokeArchive(const std::filesystem::path& folder);

  [[nodiscard]] const std::map<std::chrono::sys_days, std::filesystem::path>& days() const noexcept { return days_; }

  // The polygons whose time overlaps the span, from the files of its days and of the days beside them; none at all
  // (nullopt) where the file of one of its days is missing, so that nobody knows. An empty day has no polygons.
  // Throws as read_smoke_polygons.
  [[nodiscard]] std::optional<std::vector<SmokePolygon>> polygons_during(const TimeSpan& span) const;

 private:
  std::map<std::chrono::sys_days, std::filesystem::path> days_;
};

}  // namespace plume::data
