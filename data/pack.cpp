// Packing: match files, read them on a few threads, write each tile to its place, then the table of all.
#include "data/pack.hpp"

#include <algorithm>
#include <atomic>
#include <exception>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "data/labels.hpp"
#include "data/moments.hpp"
#include "data/raster.hpp"
#include "data/shard_write.hpp"
#include "data/split.hpp"
#include "kernels/base/error.hpp"
#include "kernels/loss.hpp"

namespace plume::data {
namespace {

using Path = std::filesystem::path;

struct Pair {
  std::string name;
  Path tile;
  Path mask;
};

// What is kept of a tile once its pixels are written.
struct TileRecord {
  Georeference georeference;
  std::vector<float> positive_fraction;  // [classes]
  std::int64_t ignored = 0;
  std::int64_t foreground = 0;
  std::optional<Moments> moments;
};

std::string and_others(std::size_t count) {
  return count > 1 ? fmt::format(" (and {} others)", count - 1) : std::string();
}

std::vector<Pair> match(const PackOptions& options) {
  std::map<std::string, Path> masks;
  for (auto& path : list_rasters(options.masks)) masks.emplace(path.stem().string(), path);
  std::vector<Pair> pairs;
  std::vector<Path> unmatched;
  for (const auto& tile : list_rasters(options.tiles)) {
    const auto found = masks.find(tile.stem().string());
    if (found == masks.end()) {
      unmatched.push_back(tile);
      continue;
    }
    pairs.push_back({found->first, tile, found->second});
    masks.erase(found);
  }
  if (!unmatched.empty())
    throw input_error("tile {}{} has no mask of the same name in {}", unmatched[0].string(),
                      and_others(unmatched.size()), options.masks.string());
  if (!masks.empty())
    throw input_error("mask {}{} has no tile of the same name in {}", masks.begin()->second.string(),
                      and_others(masks.size()), options.tiles.string());
  std::sort(pairs.begin(), pairs.end(), [](const Pair& a, const Pair& b) { return a.name < b.name; });
  return pairs;
}

std::string_view type_name(DType type) {
  if (type == DType::u8) return "u8";
  return type == DType::u16 ? "u16" : "f32";
}

// All tiles are like the first.
void check_like(const Path& first_path, const ShardShape& first, const Path& path, const Raster& raster) {
  if (raster.bands != first.bands)
    throw input_error("{} has {} bands but {} has {}; choose with --bands 1-{}", path.string(), raster.bands,
                      first_path.string(), first.bands, std::min({raster.bands, first.bands, max_bands}));
  if (raster.height != first.height || raster.width != first.width)
    throw input_error("{} is {}x{} but {} is {}x{}; all tiles must be of one size", path.string(), raster.height,
                      raster.width, first_path.string(), first.height, first.width);
  if (raster.stored != first.dtype)
    throw input_error("{} is {} but {} is {}; all tiles must be of one type", path.string(), type_name(raster.stored),
                      first_path.string(), type_name(first.dtype));
}

ShardShape shape_of_first(const PackOptions& options, const std::vector<Pair>& pairs) {
  const auto raster = read_raster(pairs[0].tile, options.bands);
  if (raster.bands > max_bands)
    throw input_error("{} has {} bands, more than {}; choose with --bands 1-6", pairs[0].tile.string(), raster.bands,
                      max_bands);
  return {static_cast<int>(pairs.size()), raster.height, raster.width, raster.bands, raster.stored};
}

template <class T>
std::vector<std::byte> narrow(const std::vector<float>& pixels) {
  std::vector<std::byte> bytes(pixels.size() * sizeof(T));
  // The buffer of a byte vector is aligned for any fundamental type.
  auto* values = reinterpret_cast<T*>(bytes.data());
  std::transform(pixels.begin(), pixels.end(), values, [](float value) { return static_cast<T>(value); });
  return bytes;
}

std::vector<std::byte> stored_bytes(const Raster& raster) {
  if (raster.stored == DType::u8) return narrow<std::uint8_t>(raster.pixels);
  if (raster.stored == DType::u16) return narrow<std::uint16_t>(raster.pixels);
  return narrow<float>(raster.pixels);
}

void count_labels(const std::vector<std::uint8_t>& labels, int classes, TileRecord& record) {
  std::array<std::int64_t, 256> count{};
  for (const auto label : labels) ++count[label];
  record.ignored = count[kernels::ignore_label];
  const auto known = static_cast<std::int64_t>(labels.size()) - record.ignored;
  record.foreground = known - count[0];
  const int first = classes == 1 ? 1 : 0;
  for (int label = first; label < first + classes; ++label) {
    const auto share = static_cast<double>(count[static_cast<std::size_t>(label)]) /
                       static_cast<double>(std::max<std::int64_t>(1, known));
    record.positive_fraction.push_back(static_cast<float>(share));
  }
}

std::vector<std::uint8_t> read_labels(const Pair& pair, const Raster& tile, const LabelRule& rule) {
  const auto mask = read_mask(pair.mask);
  if (mask.height != tile.height || mask.width != tile.width)
    throw input_error("mask {} is {}x{} but its tile {} is {}x{}", pair.mask.string(), mask.height, mask.width,
                      pair.tile.string(), tile.height, tile.width);
  auto labels = labels_from_mask(mask, rule, pair.mask);
  for (std::size_t pixel = 0; pixel < tile.valid.size(); ++pixel) {
    if (tile.valid[pixel] == 0) labels[pixel] = kernels::ignore_label;
  }
  return labels;
}

// Reads the pairs on several threads. Tiles are claimed in order and a claimed tile is read, so every tile before a
// failing one is read too, and the failure reported is that of the first bad tile whatever the threads' timing. What
// `progress` throws goes before all of them: it is a request to stop.
class PairReader {
 public:
  PairReader(const PackOptions& options, const std::vector<Pair>& pairs, const ShardShape& shape, ShardWriter& writer,
             const PackProgress& progress)
      : options_(options), pairs_(pairs), shape_(shape), writer_(writer), progress_(progress), records_(pairs.size()) {}

  std::vector<TileRecord> run() {
    const auto count =
        std::clamp<std::size_t>(static_cast<std::size_t>(std::max(1, options_.threads)), 1, pairs_.size());
    {
      std::vector<std::jthread> threads;
      for (std::size_t i = 0; i < count; ++i) threads.emplace_back([this] { work(); });
    }
    if (failure_) std::rethrow_exception(failure_);
    return std::move(records_);
  }

 private:
  void work() {
    while (!failed_.load()) {
      const auto index = next_.fetch_add(1);
      if (index >= pairs_.size()) return;
      try {
        records_[index] = pack_one(index);
      } catch (...) {
        const std::lock_guard lock(mutex_);
        fail(index + 1);
        continue;
      }
      report();
    }
  }

  // Keeps the exception being handled where it goes before the one kept; the lock is held.
  void fail(std::size_t precedence) {
    if (!failure_ || precedence < precedence_) {
      failure_ = std::current_exception();
      precedence_ = precedence;
    }
    failed_ = true;
  }

  TileRecord pack_one(std::size_t index) {
    const auto& pair = pairs_[index];
    const auto raster = read_raster(pair.tile, options_.bands);
    check_like(pairs_[0].tile, shape_, pair.tile, raster);
    const auto labels = read_labels(pair, raster, {options_.classes, options_.mask_values, options_.ignore_value});
    TileRecord record;
    record.georeference = raster.georeference;
    count_labels(labels, options_.classes, record);
    record.moments.emplace(raster.bands);
    record.moments->add(raster.pixels, labels, kernels::ignore_label);
    writer_.write_tile(static_cast<int>(index), stored_bytes(raster), labels);
    return record;
  }

  void report() {
    const std::lock_guard lock(mutex_);
    if (failed_.load() || !progress_) return;
    try {
      progress_(++done_, static_cast<int>(pairs_.size()));
    } catch (...) {
      fail(0);
    }
  }

  const PackOptions& options_;
  const std::vector<Pair>& pairs_;
  const ShardShape& shape_;
  ShardWriter& writer_;
  const PackProgress& progress_;
  std::vector<TileRecord> records_;
  std::atomic<std::size_t> next_{0};
  std::atomic<bool> failed_{false};
  std::mutex mutex_;
  int done_ = 0;
  std::exception_ptr failure_;
  std::size_t precedence_ = 0;  // of failure_: 0 for progress_, 1 + index for a tile
};

std::vector<std::string> names_of(const std::vector<Pair>& pairs) {
  std::vector<std::string> names;
  for (const auto& pair : pairs) names.push_back(pair.name);
  return names;
}

std::vector<Split> splits_by_place(const PackOptions& options, const ShardShape& shape, const std::vector<Pair>& pairs,
                                   const std::vector<TileRecord>& records) {
  std::vector<PlacedTile> tiles;
  for (std::size_t i = 0; i < pairs.size(); ++i)
    tiles.push_back({pairs[i].name, shape.height, shape.width, records[i].georeference});
  return split_by_blocks(tiles, {options.val, options.test, options.seed, options.block});
}

ShardInfo describe(const PackOptions& options, const ShardShape& shape, const std::vector<Pair>& pairs,
                   const std::vector<TileRecord>& records, std::vector<Split> splits) {
  ShardInfo info;
  info.tiles = shape.tiles;
  info.height = shape.height;
  info.width = shape.width;
  info.bands = shape.bands;
  info.classes = options.classes;
  info.dtype = shape.dtype;
  info.creator = "plume " PLUME_VERSION;
  info.split = std::move(splits);
  info.name = names_of(pairs);
  Moments train(shape.bands);
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    info.tile_file.push_back(pairs[i].tile.filename().string());
    info.mask_file.push_back(pairs[i].mask.filename().string());
    info.georeference.push_back(records[i].georeference);
    info.positive_fraction.insert(info.positive_fraction.end(), records[i].positive_fraction.begin(),
                                  records[i].positive_fraction.end());
    if (info.split[i] == Split::train) train.merge(*records[i].moments);
  }
  if (train.count() == 0) throw input_error("no pixel of the training split is both measured and labelled");
  for (std::size_t band = 0; band < static_cast<std::size_t>(shape.bands); ++band) {
    info.mean.push_back(static_cast<float>(train.mean(band)));
    const auto std = static_cast<float>(train.std(band));
    info.std.push_back(std > 0 ? std : 1.0F);
  }
  return info;
}

PackReport summarise(const ShardInfo& info, const std::vector<TileRecord>& records) {
  PackReport report;
  report.tiles = info.tiles;
  report.height = info.height;
  report.width = info.width;
  report.bands = info.bands;
  report.classes = info.classes;
  report.dtype = info.dtype;
  report.mean = info.mean;
  report.std = info.std;
  std::int64_t foreground = 0;
  for (std::size_t i = 0; i < records.size(); ++i) {
    const auto split = static_cast<std::size_t>(info.split[i]);
    ++report.split[split];
    report.positive_tiles[split] += records[i].foreground > 0 ? 1 : 0;
    report.ignored_pixels += records[i].ignored;
    foreground += records[i].foreground;
  }
  const auto all = std::int64_t{info.tiles} * info.height * info.width - report.ignored_pixels;
  report.positive_fraction = static_cast<double>(foreground) / static_cast<double>(std::max<std::int64_t>(1, all));
  return report;
}

}  // namespace

PackReport pack(const PackOptions& options, const PackProgress& progress) {
  const auto pairs = match(options);
  // A CSV's mistakes show before the long reading.
  std::vector<Split> splits;
  if (!options.split_csv.empty()) splits = split_from_csv(options.split_csv, names_of(pairs));
  const auto shape = shape_of_first(options, pairs);
  ShardWriter writer(options.output, shape);
  const auto records = PairReader(options, pairs, shape, writer, progress).run();
  if (splits.empty()) splits = splits_by_place(options, shape, pairs, records);
  const auto info = describe(options, shape, pairs, records, std::move(splits));
  writer.finish(info);
  return summarise(info, records);
}

}  // namespace plume::data
