// A scene's time, its polygons, its tiles' labels.
#include "data/hms/smoke_folder.hpp"

#include <fmt/chrono.h>

#include "data/abi/file_name.hpp"
#include "data/hms/rasterize.hpp"
#include "kernels/base/error.hpp"
#include "kernels/loss.hpp"

namespace plume::data {
namespace {

constexpr std::size_t most_recent = 8;  // scenes whose smoke is held

}  // namespace

std::optional<UtcTime> time_of_name(const std::string& name) {
  constexpr std::size_t stamp = 14;
  for (auto at = name.find("_s"); at != std::string::npos; at = name.find("_s", at + 1)) {
    if (const auto time = abi::time_of_stamp(std::string_view(name).substr(at + 2, stamp)))
      return std::chrono::floor<std::chrono::seconds>(*time);
  }
  return std::nullopt;
}

SmokeFolder::SmokeFolder(SmokeFolderOptions options) : options_(std::move(options)), archive_(options_.folder) {}

void SmokeFolder::match(const std::vector<std::filesystem::path>& tiles) {
  tiles_ = tiles;
  bool known = false;
  for (const auto& tile : tiles) {
    const auto time = options_.time ? options_.time : time_of_name(tile.filename().string());
    if (!time)
      throw input_error("{}: the name has no time (_sYYYYDDDHHMMSSt, as in GOES's files); give one for all with --time",
                        tile.string());
    times_.push_back(*time);
    known = known || archive_.days().contains(analysts_day(*time));
  }
  if (!known)
    throw input_error("{} has no file for the day of any tile, such as {:%Y-%m-%d} of {}", options_.folder.string(),
                      fmt::gmtime(std::chrono::system_clock::to_time_t(times_[0])), tiles[0].filename().string());
}

TimeSpan SmokeFolder::span_of(int tile) const {
  const auto time = times_[static_cast<std::size_t>(tile)];
  return {time - options_.within, time + options_.within};
}

std::string SmokeFolder::origin(int tile) const {
  const auto found = archive_.days().find(analysts_day(times_[static_cast<std::size_t>(tile)]));
  return found == archive_.days().end() ? std::string() : found->second.filename().string();
}

std::string SmokeFolder::fingerprint(int tile) const {
  const auto span = span_of(tile);
  const auto& rule = options_.rule;
  auto text = fmt::format("smoke {} {} from {} to {}\n", static_cast<int>(rule.labels), static_cast<int>(rule.least),
                          span.first.time_since_epoch().count(), span.last.time_since_epoch().count());
  for (auto path : archive_.files_for(span)) {
    text += file_state(path);
    const std::string extension = path.extension().string();
    if (extension == ".shp")
      for (const char* ending : {".dbf", ".shx"}) text += file_state(path.replace_extension(ending));
    if (extension == ".SHP")
      for (const char* ending : {".DBF", ".SHX"}) text += file_state(path.replace_extension(ending));
  }
  return text;
}

SmokeFolder::Smoke SmokeFolder::smoke_during(const TimeSpan& span) const {
  const std::lock_guard lock(mutex_);
  for (const auto& [first, smoke] : recent_) {
    if (first == span.first) return smoke;
  }
  if (recent_.size() == most_recent) recent_.pop_front();
  auto smoke = std::make_shared<const std::optional<std::vector<SmokePolygon>>>(archive_.polygons_during(span));
  return recent_.emplace_back(span.first, std::move(smoke)).second;
}

std::vector<std::uint8_t> SmokeFolder::labels(int tile, const Raster& raster) const {
  const auto smoke = smoke_during(span_of(tile));
  if (!*smoke)
    return std::vector<std::uint8_t>(raster.pixels.size() / static_cast<std::size_t>(raster.bands),
                                     kernels::ignore_label);
  auto labels = with_context(tiles_[static_cast<std::size_t>(tile)].string(), [&] {
    return rasterize_smoke(**smoke, raster.height, raster.width, raster.georeference);
  });
  label_smoke(labels, options_.rule);
  return labels;
}

}  // namespace plume::data
