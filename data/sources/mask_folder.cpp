// Masks matched to tiles by name.
#include "data/sources/mask_folder.hpp"

#include <fmt/format.h>

#include <map>

#include "data/formats/raster_read.hpp"
#include "kernels/base/error.hpp"

namespace plume::data {
namespace {

using Path = std::filesystem::path;

std::string and_others(std::size_t count) {
  return count > 1 ? fmt::format(" (and {} others)", count - 1) : std::string();
}

}  // namespace

MaskFolder::MaskFolder(Path folder, LabelRule rule) : folder_(std::move(folder)), rule_(std::move(rule)) {}

void MaskFolder::match(const std::vector<Path>& tiles) {
  std::map<std::string, Path> masks;
  for (auto& path : list_rasters(folder_)) masks.emplace(path.stem().string(), path);
  std::vector<Path> unmatched;
  for (const auto& tile : tiles) {
    const auto found = masks.find(tile.stem().string());
    if (found == masks.end()) {
      unmatched.push_back(tile);
      continue;
    }
    masks_.push_back(found->second);
    masks.erase(found);
  }
  if (!unmatched.empty())
    throw input_error("tile {}{} has no mask of the same name in {}", unmatched[0].string(),
                      and_others(unmatched.size()), folder_.string());
  if (!masks.empty())
    throw input_error("mask {}{} has no tile of the same name in {}", masks.begin()->second.string(),
                      and_others(masks.size()), tiles[0].parent_path().string());
  tiles_ = tiles;
}

std::string MaskFolder::origin(int tile) const {
  return masks_[static_cast<std::size_t>(tile)].filename().string();
}

std::string MaskFolder::fingerprint(int tile) const {
  return fmt::format("masks of {} classes, values {}, ignore {}\n{}", rule_.classes, fmt::join(rule_.mask_values, ","),
                     rule_.ignore.value_or(-1), file_state(masks_[static_cast<std::size_t>(tile)]));
}

std::vector<std::uint8_t> MaskFolder::labels(int tile, const Raster& raster) const {
  const auto& path = masks_[static_cast<std::size_t>(tile)];
  const auto mask = read_mask(path);
  if (mask.height != raster.height || mask.width != raster.width)
    throw input_error("mask {} is {}x{} but its tile {} is {}x{}", path.string(), mask.height, mask.width,
                      tiles_[static_cast<std::size_t>(tile)].string(), raster.height, raster.width);
  return labels_from_mask(mask, rule_, path);
}

}  // namespace plume::data
