// Labels from a folder of HMS day files, by the time of each tile.
#pragma once

#include <chrono>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "data/hms/archive.hpp"
#include "data/hms/smoke_labels.hpp"
#include "data/sources/tile_labels.hpp"

namespace plume::data {

struct SmokeFolderOptions {
  std::filesystem::path folder{};  // SmokeArchive
  std::optional<UtcTime> time{};   // of all tiles; none: each tile's name says it, as time_of_name reads it
  std::chrono::minutes within{0};  // smoke counts that was seen at most so long before or after
  SmokeLabelRule rule{};
};

// From "..._sYYYYDDDHHMMSSt...", the start of a scan in GOES's file names, t being tenths of a second.
[[nodiscard]] std::optional<UtcTime> time_of_name(const std::string& name);

// All of a tile is ignored where its day's file is missing. Throws input_error: whatever SmokeArchive, its files and
// rasterize_smoke throw (naming the tile); a tile whose name has no time where none is
// given; no file for the day of any tile.
class SmokeFolder final : public TileLabels {
 public:
  explicit SmokeFolder(SmokeFolderOptions options);

  [[nodiscard]] int classes() const override { return options_.rule.classes(); }
  [[nodiscard]] std::vector<float> label_target() const override { return options_.rule.label_targets(); }
  void match(const std::vector<std::filesystem::path>& tiles) override;
  [[nodiscard]] std::string origin(int tile) const override;  // the file of the tile's day; empty where it is missing
  [[nodiscard]] std::string fingerprint(int tile) const override;
  [[nodiscard]] std::vector<std::uint8_t> labels(int tile, const Raster& raster) const override;

 private:
  using Smoke = std::shared_ptr<const std::optional<std::vector<SmokePolygon>>>;
  [[nodiscard]] TimeSpan span_of(int tile) const;
  [[nodiscard]] Smoke smoke_during(const TimeSpan& span) const;

  SmokeFolderOptions options_;
  SmokeArchive archive_;
  std::vector<std::filesystem::path> tiles_;
  std::vector<UtcTime> times_;  // as tiles_
  mutable std::mutex mutex_;    // guards recent_
  // The tiles of a scene share its smoke, and scenes come one after the other.
  mutable std::deque<std::pair<UtcTime, Smoke>> recent_;
};

}  // namespace plume::data
