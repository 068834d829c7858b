// Packing: share tiles out, write them to parts, put these together.
#include "data/shards/pack.hpp"

#include <algorithm>
#include <optional>
#include <string>

#include "data/shards/pack_parts.hpp"
#include "data/shards/shard_write.hpp"
#include "data/shards/split.hpp"
#include "data/shards/stored_pixels.hpp"
#include "data/shards/tile_table.hpp"
#include "kernels/base/error.hpp"
#include "kernels/loss.hpp"

namespace plume::data {
namespace {

int tiles_of(const TileSource& source) {
  return static_cast<int>(source.names().size());
}

TileRange range_of(PackShare share, int tiles) {
  if (tiles < share.count) throw input_error("{} tiles are too few for {} processes", tiles, share.count);
  const auto start = [&](int index) { return static_cast<int>(std::int64_t{tiles} * index / share.count); };
  return {start(share.index), start(share.index + 1)};
}

// Of all tiles of the source, so that every process deals them out alike.
std::vector<Split> splits_of(const TileSource& source, const PackOptions& options) {
  if (!options.split_csv.empty()) return split_from_csv(options.split_csv, source.names());
  std::vector<PlacedTile> tiles;
  tiles.reserve(source.names().size());
  for (int tile = 0; tile < tiles_of(source); ++tile)
    tiles.push_back({source.names()[static_cast<std::size_t>(tile)], source.shape().height, source.shape().width,
                     source.georeference(tile)});
  return split_by_blocks(tiles, {options.val, options.test, options.seed, options.block});
}

DType stored_type(const TileSource& source, const PackOptions& options) {
  const auto dtype = source.shape().dtype;
  if (!options.store || options.store == dtype) return dtype;
  if (dtype != DType::f32)
    throw usage_error("tiles that are whole numbers are stored as they are; only floats can be scaled");
  return *options.store;
}

// Where to cut the values of each band off before they are scaled; empty: as found.
std::vector<ValueRange> ranges_of(const TileSource& source, const PackOptions& options) {
  const auto bands = static_cast<std::size_t>(source.shape().bands);
  auto ranges = options.ranges;
  if (ranges.size() == 1) ranges.assign(bands, ranges[0]);
  if (!ranges.empty() && ranges.size() != bands)
    throw usage_error("{} ranges for {} bands; give one, or one a band", ranges.size(), bands);
  if (ranges.empty() && options.share.count > 1)
    throw usage_error("shards of several processes must scale alike: give the range of the values");
  return ranges;
}

// Puts the parts together, tile by tile.
class Assembly {
 public:
  Assembly(const TileSource& source, const PackParts& parts, DType dtype) : parts_(parts), info_(empty_info(source)) {
    for (int part = 0; part < parts.parts(); ++part) append_tables(info_, Shard(parts.path(part)).info());
    info_.dtype = dtype;
  }

  // As PackOptions::store and ranges say.
  void scale(std::vector<ValueRange> ranges) {
    const auto bands = static_cast<std::size_t>(info_.bands);
    if (ranges.empty()) {
      for (std::size_t band = 0; band < bands; ++band) ranges.push_back(range_of_band(band));
    }
    for (std::size_t band = 0; band < bands; ++band) {
      const auto scale = scale_of_range(ranges[band].least, ranges[band].most, info_.dtype);
      info_.scale[band] = scale.scale;
      info_.offset[band] = scale.offset;
      scales_.push_back(scale);
    }
  }

  ShardInfo& info() { return info_; }

  // Counts labels on the way.
  void write_to(ShardWriter& writer, PackReport& report) {
    std::int64_t foreground = 0;
    int next = 0;
    for (int part = 0; part < parts_.parts(); ++part) {
      const Shard shard(parts_.path(part));
      for (int tile = 0; tile < shard.info().tiles; ++tile, ++next) {
        const auto labels = shard.labels(tile);
        if (tile_checksum(shard.image(tile), labels) != info_.checksum[static_cast<std::size_t>(next)])
          throw environment_error("{} was changed while it was packed; start again", shard.path().string());
        if (scales_.empty()) {
          writer.write_tile(next, shard.image(tile), labels);
        } else {
          writer.write_tile(next, stored_pixels(floats_of(shard.image(tile)), info_.dtype, scales_), labels);
        }
        foreground += count(next, labels, report);
      }
    }
    const auto all = std::int64_t{info_.tiles} * info_.height * info_.width - report.ignored_pixels;
    report.positive_fraction = static_cast<double>(foreground) / static_cast<double>(std::max<std::int64_t>(1, all));
  }

 private:
  [[nodiscard]] ValueRange range_of_band(std::size_t band) const {
    ValueRange range{info_.band_least[band], info_.band_most[band]};
    for (std::size_t i = band; i < info_.band_least.size(); i += static_cast<std::size_t>(info_.bands)) {
      range.least = std::min(range.least, info_.band_least[i]);
      range.most = std::max(range.most, info_.band_most[i]);
    }
    if (range.least > range.most) return {};  // no pixel is measured
    return range;
  }

  // A shard's pixels start at a page, and a part's tiles of floats at a multiple of four bytes from there.
  static std::span<const float> floats_of(std::span<const std::byte> bytes) {
    return {reinterpret_cast<const float*>(bytes.data()), bytes.size() / sizeof(float)};
  }

  std::int64_t count(int tile, std::span<const std::uint8_t> labels, PackReport& report) const {
    const auto ignored = std::count(labels.begin(), labels.end(), kernels::ignore_label);
    const auto background = std::count(labels.begin(), labels.end(), std::uint8_t{0});
    const auto foreground = static_cast<std::int64_t>(labels.size()) - ignored - background;
    const auto split = static_cast<std::size_t>(info_.split[static_cast<std::size_t>(tile)]);
    ++report.split[split];
    report.positive_tiles[split] += foreground > 0 ? 1 : 0;
    report.ignored_pixels += ignored;
    return foreground;
  }

  const PackParts& parts_;
  ShardInfo info_;
  std::vector<BandScale> scales_;  // empty: stored as the parts are
};

}  // namespace

PackReport pack(const TileSource& source, const PackOptions& options, const PackProgress& progress) {
  const auto range = range_of(options.share, tiles_of(source));
  // Mistakes in options and splits show before the long reading, and so does a disk without room.
  const auto splits = splits_of(source, options);
  auto shape = source.shape();
  shape.dtype = stored_type(source, options);
  const bool scaled = shape.dtype != source.shape().dtype;
  const auto ranges = scaled ? ranges_of(source, options) : std::vector<ValueRange>();
  PackReport report;
  report.output = shard_path(options.output, options.share);
  PackParts parts(source, range, report.output, options.part_tiles);  // locks
  ShardWriter writer(report.output, {range.count(), shape});

  parts.pack(options.threads, progress);
  report.kept_tiles = parts.kept_tiles();
  report.replaced_tiles = parts.replaced_tiles();

  Assembly assembly(source, parts, shape.dtype);
  auto& info = assembly.info();
  std::copy_n(splits.begin() + range.first, range.count(), info.split.begin());
  if (!normalise_by_training_tiles(info) && options.share.count == 1)
    throw input_error("no pixel of the training split is both measured and labelled");
  if (scaled) assembly.scale(ranges);
  assembly.write_to(writer, report);
  writer.finish(info);
  parts.remove();

  report.tiles = info.tiles;
  report.shape = shape;
  report.classes = info.classes;
  report.unmeasured = unmeasured_images(info);
  report.mean = info.mean;
  report.std = info.std;
  return report;
}

}  // namespace plume::data
