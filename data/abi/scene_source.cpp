// Neighbouring tiles of a scene are read as a group by the first thread that wants one of them.
#include "data/abi/scene_source.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <thread>
#include <utility>

#include "kernels/base/error.hpp"
#include "kernels/loss.hpp"

namespace plume::data::abi {
namespace {

constexpr std::size_t group_tiles = 32;
constexpr std::size_t groups_ahead = 2;  // held beyond one for each reading thread

}  // namespace

// Groups of tiles: consecutive in name, of one row of a scene, so that what they need of it lies together.
class SceneSource::Groups {
 public:
  Groups(const SceneSource& source) : source_(source) {
    for (std::size_t tile = 0; tile < source.tiles_.size(); ++tile) {
      const Tile& next = source.tiles_[tile];
      const bool fits = !firsts_.empty() && tile - firsts_.back() < group_tiles &&
                        next.scene == source.tiles_[firsts_.back()].scene &&
                        next.row == source.tiles_[firsts_.back()].row;
      if (!fits) firsts_.push_back(tile);
      group_of_.push_back(firsts_.size() - 1);
    }
  }

  // One tile's raster, which is given once; a second time its group is read again.
  Raster take(std::size_t tile) {
    const std::size_t group = group_of_[tile];
    std::unique_lock lock(mutex_);
    readers_.insert(std::this_thread::get_id());
    while (true) {
      const auto found = held_.find(group);
      if (found == held_.end()) {
        read(group, lock);
        continue;
      }
      if (!found->second.ready) {
        // Another thread reads it: meanwhile this one reads what comes next. An error there is that group's own, and comes
        // again when one of its tiles is wanted.
        if (group + 1 < firsts_.size() && !held_.contains(group + 1) && !failed_ahead_.contains(group + 1)) {
          try {
            read(group + 1, lock);
          } catch (const std::exception&) {
            failed_ahead_.insert(group + 1);
          }
        } else {
          changed_.wait(lock);
        }
        continue;
      }
      Raster& raster = found->second.rasters[tile - firsts_[group]];
      if (raster.pixels.empty()) {
        held_.erase(found);
        continue;
      }
      Raster taken = std::exchange(raster, {});
      if (--found->second.left == 0) held_.erase(found);
      return taken;
    }
  }

 private:
  struct Group {
    bool ready = false;
    std::size_t left = 0;
    std::vector<Raster> rasters;
  };

  void read(std::size_t group, std::unique_lock<std::mutex>& lock) {
    held_.emplace(group, Group{});
    forget_oldest(group);
    lock.unlock();
    std::vector<Raster> rasters;
    try {
      rasters = source_.read_group(firsts_[group], end_of(group));
    } catch (...) {
      lock.lock();
      held_.erase(group);
      changed_.notify_all();
      throw;
    }
    lock.lock();
    Group& made = held_.at(group);
    made.left = rasters.size();
    made.rasters = std::move(rasters);
    made.ready = true;
    changed_.notify_all();
  }

  // Tiles that were packed before a kill are never asked for, and would be held for ever.
  void forget_oldest(std::size_t reading) {
    // A thread that begins in the middle of a group leaves the rest of it to the thread before, and one may be read ahead.
    const std::size_t most = 3 * readers_.size() + groups_ahead;
    for (auto held = held_.begin(); held != held_.end() && held_.size() > most;) {
      held = held->second.ready && held->first < reading ? held_.erase(held) : std::next(held);
    }
  }

  [[nodiscard]] std::size_t end_of(std::size_t group) const {
    return group + 1 < firsts_.size() ? firsts_[group + 1] : source_.tiles_.size();
  }

  const SceneSource& source_;
  std::vector<std::size_t> firsts_;    // by group
  std::vector<std::size_t> group_of_;  // by tile
  std::mutex mutex_;                   // guards what follows
  std::condition_variable changed_;
  std::map<std::size_t, Group> held_;
  std::set<std::size_t> failed_ahead_;
  std::set<std::thread::id> readers_;
};

SceneSource::SceneSource(const std::filesystem::path& folder, SceneOptions scene, const TilePlan& plan,
                         std::unique_ptr<TileLabels> labels)
    : options_(std::move(scene)), labels_(std::move(labels)) {
  const auto files = list_band_files(folder);
  if (files.empty()) throw input_error("{} holds no bands of ABI scenes (OR_ABI-L1b-Rad...nc)", folder.string());
  scenes_ = find_scenes(files);
  require_bands(scenes_, options_.channels);
  std::optional<geo::FixedGrid> planned_image;  // scenes of one sector often look at the same place
  std::vector<PlannedTile> planned;
  for (std::size_t i = 0; i < scenes_.size(); ++i) {
    const Granule granule(scenes_[i].bands.at(options_.channels.front()));  // says where all bands of it look
    const geo::FixedGrid& image = granule.grid();
    if (planned_image != image) {
      planned_image = image;
      planned = plan_tiles(image, plan);
    }
    for (const PlannedTile& tile : planned)
      tiles_.push_back({fmt::format("{}_{}_{}", scenes_[i].stem(), tile.row, tile.column), static_cast<int>(i),
                        tile.row, tile.grid});
    std::string state;
    for (const int channel : options_.channels) state += file_state(scenes_[i].bands.at(channel));
    files_.push_back(std::move(state));
  }
  if (tiles_.empty()) {
    throw input_error("{}: no scene shows enough of a tile; choose smaller ones (--zoom, --size) or --least-share 0",
                      folder.string());
  }
  std::sort(tiles_.begin(), tiles_.end(), [](const Tile& a, const Tile& b) { return a.name < b.name; });
  std::vector<std::filesystem::path> paths;
  for (const Tile& tile : tiles_) {
    names_.push_back(tile.name);
    paths.emplace_back(tile.name);
  }
  labels_->match(paths);
  const auto& channels = options_.channels;
  const bool bytes = options_.scaling == Scaling::bytes &&
                     std::all_of(channels.begin(), channels.end(), [](int c) { return c <= reflective_channels; });
  shape_ = {plan.size, plan.size, static_cast<int>(channels.size()), bytes ? DType::u8 : DType::f32};
  groups_ = std::make_unique<Groups>(*this);
}

SceneSource::~SceneSource() = default;

std::vector<Raster> SceneSource::read_group(std::size_t first, std::size_t end) const {
  std::vector<geo::Grid> grids;
  for (std::size_t tile = first; tile < end; ++tile) grids.push_back(tiles_[tile].grid);
  const int scene = tiles_[first].scene;
  return open_scenes_.of(scene, scenes_[static_cast<std::size_t>(scene)], options_)->read(grids);
}

TileOrigin SceneSource::origin(int tile) const {
  return {scenes_[static_cast<std::size_t>(tiles_[static_cast<std::size_t>(tile)].scene)].stem(),
          labels_->origin(tile)};
}

Georeference SceneSource::georeference(int tile) const {
  return tiles_[static_cast<std::size_t>(tile)].grid.georeference;
}

std::string SceneSource::fingerprint(int tile) const {
  const Tile& planned = tiles_[static_cast<std::size_t>(tile)];
  return fmt::format("abi {} scaling {} resampling {} sun {} {}\n{}\n{}{}", fmt::join(options_.channels, ","),
                     static_cast<int>(options_.scaling), static_cast<int>(options_.resampling), options_.max_sun_zenith,
                     options_.divide_by_sun, fmt::join(planned.grid.georeference.transform, ","),
                     files_[static_cast<std::size_t>(planned.scene)], labels_->fingerprint(tile));
}

LabelledTile SceneSource::read(int tile) const {
  LabelledTile labelled{groups_->take(static_cast<std::size_t>(tile)), {}};
  labelled.labels = labels_->labels(tile, labelled.raster);
  const auto& valid = labelled.raster.valid;
  for (std::size_t pixel = 0; pixel < valid.size(); ++pixel) {
    if (valid[pixel] == 0) labelled.labels[pixel] = kernels::ignore_label;
  }
  return labelled;
}

}  // namespace plume::data::abi
