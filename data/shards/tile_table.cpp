// Rows of a shard's tables.
#include "data/shards/tile_table.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <map>

#include "kernels/loss.hpp"

namespace plume::data {
namespace {

void append_class_shares(ShardInfo& info, const std::vector<std::uint8_t>& labels) {
  std::array<std::int64_t, 256> count{};
  for (const auto label : labels) ++count[label];
  const auto known = static_cast<std::int64_t>(labels.size()) - count[kernels::ignore_label];
  const int first = info.classes == 1 ? 1 : 0;
  for (int label = first; label < first + info.classes; ++label) {
    const auto share = static_cast<double>(count[static_cast<std::size_t>(label)]) /
                       static_cast<double>(std::max<std::int64_t>(1, known));
    info.positive_fraction.push_back(static_cast<float>(share));
  }
}

// Of the pixels that are valid, whether labelled or not; (infinity, -infinity) where none is.
void append_range(ShardInfo& info, const Raster& raster) {
  constexpr float infinity = std::numeric_limits<float>::infinity();
  const auto bands = static_cast<std::size_t>(raster.bands);
  std::vector<float> least(bands, infinity);
  std::vector<float> most(bands, -infinity);
  for (std::size_t i = 0; i < raster.pixels.size(); i += bands) {
    if (!raster.valid.empty() && raster.valid[i / bands] == 0) continue;
    for (std::size_t band = 0; band < bands; ++band) {
      least[band] = std::min(least[band], raster.pixels[i + band]);
      most[band] = std::max(most[band], raster.pixels[i + band]);
    }
  }
  info.band_least.insert(info.band_least.end(), least.begin(), least.end());
  info.band_most.insert(info.band_most.end(), most.begin(), most.end());
}

template <class T>
void append(std::vector<T>& all, const std::vector<T>& more) {
  all.insert(all.end(), more.begin(), more.end());
}

}  // namespace

ShardInfo empty_info(const TileSource& source) {
  ShardInfo info;
  const auto& shape = source.shape();
  info.height = shape.height;
  info.width = shape.width;
  info.bands = shape.bands;
  info.dtype = shape.dtype;
  info.classes = source.classes();
  info.label_target = source.label_target();
  info.scale.assign(static_cast<std::size_t>(shape.bands), 1.0F);
  info.offset.assign(static_cast<std::size_t>(shape.bands), 0.0F);
  info.creator = "plume " PLUME_VERSION;
  return info;
}

void append_tile(ShardInfo& info, const std::string& name, const TileOrigin& origin, const LabelledTile& tile) {
  ++info.tiles;
  info.split.push_back(Split::train);
  info.name.push_back(name);
  info.tile_file.push_back(origin.image);
  info.mask_file.push_back(origin.labels);
  info.georeference.push_back(tile.raster.georeference);
  append_class_shares(info, tile.labels);
  info.moments.emplace_back(info.bands).add(tile.raster.pixels, tile.labels, kernels::ignore_label);
  append_range(info, tile.raster);
}

void append_tables(ShardInfo& info, const ShardInfo& more) {
  info.tiles += more.tiles;
  append(info.split, more.split);
  append(info.name, more.name);
  append(info.tile_file, more.tile_file);
  append(info.mask_file, more.mask_file);
  append(info.georeference, more.georeference);
  append(info.positive_fraction, more.positive_fraction);
  append(info.checksum, more.checksum);
  append(info.moments, more.moments);
  append(info.band_least, more.band_least);
  append(info.band_most, more.band_most);
}

bool normalise_by_training_tiles(ShardInfo& info) {
  Moments train(info.bands);
  for (std::size_t tile = 0; tile < info.moments.size(); ++tile) {
    if (info.split[tile] == Split::train) train.merge(info.moments[tile]);
  }
  const auto bands = static_cast<std::size_t>(info.bands);
  info.mean.assign(bands, 0.0F);
  info.std.assign(bands, 1.0F);
  if (train.count() == 0) return false;
  for (std::size_t band = 0; band < bands; ++band) {
    info.mean[band] = static_cast<float>(train.mean(band));
    const auto std = static_cast<float>(train.std(band));
    if (std > 0) info.std[band] = std;
  }
  return true;
}

std::vector<std::string> unmeasured_images(const ShardInfo& info) {
  std::map<std::string, bool> measured;
  for (std::size_t tile = 0; tile < info.tile_file.size(); ++tile) {
    const auto first_band = tile * static_cast<std::size_t>(info.bands);
    bool& any = measured[info.tile_file[tile]];
    any = any || info.band_least[first_band] <= info.band_most[first_band];
  }
  std::vector<std::string> images;
  for (const auto& [image, any] : measured) {
    if (!any) images.push_back(image);
  }
  return images;
}

}  // namespace plume::data
