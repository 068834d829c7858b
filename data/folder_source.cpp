// Tiles and masks matched by name.
#include "data/folder_source.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>

#include "kernels/base/error.hpp"
#include "kernels/loss.hpp"

namespace plume::data {
namespace {

using Path = std::filesystem::path;

std::string and_others(std::size_t count) {
  return count > 1 ? fmt::format(" (and {} others)", count - 1) : std::string();
}

std::string_view type_name(DType type) {
  if (type == DType::u8) return "u8";
  return type == DType::u16 ? "u16" : "f32";
}

// A file's place, size and time of change; of one that is gone, its place.
std::string state_of(const Path& path) {
  std::error_code failed;
  const auto size = std::filesystem::file_size(path, failed);
  const auto changed = std::filesystem::last_write_time(path, failed).time_since_epoch();
  return fmt::format("{} {} {}\n", std::filesystem::absolute(path, failed).string(), size,
                     std::chrono::nanoseconds(changed).count());
}

}  // namespace

FolderSource::FolderSource(FolderOptions options) : options_(std::move(options)) {
  match();
  const auto& first = pairs_[0].tile;
  const auto raster = read_raster(first, options_.bands);
  if (raster.bands > max_bands)
    throw input_error("{} has {} bands, more than {}; choose with --bands 1-6", first.string(), raster.bands,
                      max_bands);
  shape_ = {raster.height, raster.width, raster.bands, raster.stored};
}

void FolderSource::match() {
  std::map<std::string, Path> masks;
  for (auto& path : list_rasters(options_.masks)) masks.emplace(path.stem().string(), path);
  std::map<std::string, Pair> pairs;
  std::vector<Path> unmatched;
  for (const auto& tile : list_rasters(options_.tiles)) {
    const auto found = masks.find(tile.stem().string());
    if (found == masks.end()) {
      unmatched.push_back(tile);
      continue;
    }
    pairs.emplace(found->first, Pair{tile, found->second});
    masks.erase(found);
  }
  if (!unmatched.empty())
    throw input_error("tile {}{} has no mask of the same name in {}", unmatched[0].string(),
                      and_others(unmatched.size()), options_.masks.string());
  if (!masks.empty())
    throw input_error("mask {}{} has no tile of the same name in {}", masks.begin()->second.string(),
                      and_others(masks.size()), options_.tiles.string());
  for (auto& [name, pair] : pairs) {
    names_.push_back(name);
    pairs_.push_back(std::move(pair));
  }
}

TileOrigin FolderSource::origin(int tile) const {
  const auto& pair = pairs_[static_cast<std::size_t>(tile)];
  return {pair.tile.filename().string(), pair.mask.filename().string()};
}

Georeference FolderSource::georeference(int tile) const {
  return read_georeference(pairs_[static_cast<std::size_t>(tile)].tile);
}

std::string FolderSource::fingerprint(int tile) const {
  const auto& pair = pairs_[static_cast<std::size_t>(tile)];
  const auto& rule = options_.rule;
  return fmt::format("bands {} classes {} values {} ignore {}\n{}{}", fmt::join(options_.bands, ","), rule.classes,
                     fmt::join(rule.mask_values, ","), rule.ignore.value_or(-1), state_of(pair.tile),
                     state_of(pair.mask));
}

void FolderSource::check_like_first(const Pair& pair, const Raster& raster) const {
  const auto path = pair.tile.string();
  const auto first = pairs_[0].tile.string();
  if (raster.bands != shape_.bands)
    throw input_error("{} has {} bands but {} has {}; choose with --bands 1-{}", path, raster.bands, first,
                      shape_.bands, std::min({raster.bands, shape_.bands, max_bands}));
  if (raster.height != shape_.height || raster.width != shape_.width)
    throw input_error("{} is {}x{} but {} is {}x{}; all tiles must be of one size", path, raster.height, raster.width,
                      first, shape_.height, shape_.width);
  if (raster.stored != shape_.dtype)
    throw input_error("{} is {} but {} is {}; all tiles must be of one type", path, type_name(raster.stored), first,
                      type_name(shape_.dtype));
}

std::vector<std::uint8_t> FolderSource::read_labels(const Pair& pair, const Raster& tile) const {
  const auto mask = read_mask(pair.mask);
  if (mask.height != tile.height || mask.width != tile.width)
    throw input_error("mask {} is {}x{} but its tile {} is {}x{}", pair.mask.string(), mask.height, mask.width,
                      pair.tile.string(), tile.height, tile.width);
  auto labels = labels_from_mask(mask, options_.rule, pair.mask);
  for (std::size_t pixel = 0; pixel < tile.valid.size(); ++pixel) {
    if (tile.valid[pixel] == 0) labels[pixel] = kernels::ignore_label;
  }
  return labels;
}

LabelledTile FolderSource::read(int tile) const {
  const auto& pair = pairs_[static_cast<std::size_t>(tile)];
  LabelledTile read{read_raster(pair.tile, options_.bands), {}};
  check_like_first(pair, read.raster);
  read.labels = read_labels(pair, read.raster);
  return read;
}

}  // namespace plume::data
