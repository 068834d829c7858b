// Tiles read one by one, each with what its labels say.
#include "data/sources/folder_source.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "data/formats/raster_read.hpp"
#include "kernels/base/error.hpp"
#include "kernels/loss.hpp"

namespace plume::data {
namespace {

using Path = std::filesystem::path;

}  // namespace

std::string file_state(const Path& path) {
  std::error_code failed;
  const auto size = std::filesystem::file_size(path, failed);
  const auto changed = std::filesystem::last_write_time(path, failed).time_since_epoch();
  return fmt::format("{} {} {}\n", std::filesystem::absolute(path, failed).string(), size,
                     std::chrono::nanoseconds(changed).count());
}

FolderSource::FolderSource(const Path& folder, std::vector<int> bands, std::unique_ptr<TileLabels> labels)
    : bands_(std::move(bands)), labels_(std::move(labels)), tiles_(list_rasters(folder)) {
  std::sort(tiles_.begin(), tiles_.end(), [](const Path& a, const Path& b) { return a.stem() < b.stem(); });
  for (const auto& tile : tiles_) names_.push_back(tile.stem().string());
  labels_->match(tiles_);
  const auto raster = read_raster(tiles_[0], bands_);
  if (raster.bands > max_bands)
    throw input_error("{} has {} bands, more than {}; choose with --bands 1-6", tiles_[0].string(), raster.bands,
                      max_bands);
  shape_ = {raster.height, raster.width, raster.bands, raster.stored};
}

TileOrigin FolderSource::origin(int tile) const {
  return {tiles_[static_cast<std::size_t>(tile)].filename().string(), labels_->origin(tile)};
}

Georeference FolderSource::georeference(int tile) const {
  return read_georeference(tiles_[static_cast<std::size_t>(tile)]);
}

std::string FolderSource::fingerprint(int tile) const {
  return fmt::format("bands {}\n{}{}", fmt::join(bands_, ","), file_state(tiles_[static_cast<std::size_t>(tile)]),
                     labels_->fingerprint(tile));
}

void FolderSource::check_like_first(const Path& tile, const Raster& raster) const {
  const auto path = tile.string();
  const auto first = tiles_[0].string();
  if (raster.bands != shape_.bands)
    throw input_error("{} has {} bands but {} has {}; choose with --bands 1-{}", path, raster.bands, first,
                      shape_.bands, std::min({raster.bands, shape_.bands, max_bands}));
  if (raster.height != shape_.height || raster.width != shape_.width)
    throw input_error("{} is {}x{} but {} is {}x{}; all tiles must be of one size", path, raster.height, raster.width,
                      first, shape_.height, shape_.width);
  if (raster.stored != shape_.dtype)
    throw input_error("{} is {} but {} is {}; all tiles must be of one type", path, name_of(raster.stored), first,
                      name_of(shape_.dtype));
}

LabelledTile FolderSource::read(int tile) const {
  const auto& path = tiles_[static_cast<std::size_t>(tile)];
  LabelledTile read{read_raster(path, bands_), {}};
  check_like_first(path, read.raster);
  read.labels = labels_->labels(tile, read.raster);
  for (std::size_t pixel = 0; pixel < read.raster.valid.size(); ++pixel) {
    if (read.raster.valid[pixel] == 0) read.labels[pixel] = kernels::ignore_label;
  }
  return read;
}

}  // namespace plume::data
