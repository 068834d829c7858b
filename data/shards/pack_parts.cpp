// Workers that claim parts in order and write each as a small shard.
#include "data/shards/pack_parts.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <exception>
#include <mutex>
#include <optional>
#include <thread>

#include "data/shards/shard_write.hpp"
#include "data/shards/stored_pixels.hpp"
#include "data/shards/tile_table.hpp"
#include "data/shards/verify.hpp"
#include "kernels/base/error.hpp"
#include "kernels/base/fnv1a.hpp"

namespace plume::data {
namespace {

constexpr std::size_t part_bytes = std::size_t{16} << 20U;
constexpr std::size_t most_part_tiles = 32;
constexpr int least_parts = 12;      // so that threads end at about the same time,
constexpr int least_part_tiles = 4;  // but for a handful of tiles, as a part takes milliseconds beside its tiles

int tiles_per_part(const TileShape& tile, int tiles) {
  const ShardShape shape{1, tile};
  const auto by_size = part_bytes / (shape.image_bytes() + shape.label_bytes());
  const int most = static_cast<int>(std::clamp<std::size_t>(by_size, 1, most_part_tiles));
  return std::min(std::max(tiles / least_parts, least_part_tiles), most);
}

}  // namespace

PackParts::PackParts(const TileSource& source, TileRange range, const std::filesystem::path& output, int part_tiles)
    : source_(source),
      range_(range),
      folder_(output.string() + ".parts"),
      part_tiles_(part_tiles > 0 ? part_tiles : tiles_per_part(source.shape(), range.count())) {
  std::error_code failed;
  std::filesystem::create_directory(folder_, failed);
  lock_ = failed ? -1 : ::open(folder_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (lock_ < 0)
    throw environment_error("cannot make the folder {}: {}", folder_.string(),
                            failed ? failed.message() : std::strerror(errno));
  // A file system without locks is not held against anyone.
  if (::flock(lock_, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    ::close(lock_);
    throw environment_error("another process is packing {}; wait for it or choose another output", output.string());
  }
}

PackParts::~PackParts() {
  std::error_code ignored;
  std::filesystem::remove(folder_, ignored);
  ::close(lock_);
}

std::filesystem::path PackParts::path(int part) const {
  return folder_ / fmt::format("part-{:06}.h5", part);
}

TileRange PackParts::tiles(int part) const {
  const int first = range_.first + part * part_tiles_;
  return {first, std::min(first + part_tiles_, range_.last)};
}

void PackParts::remove() {
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

// Parts are claimed in order and a claimed part is packed up to the first failing tile, so every tile before a failing
// one is read too. What `progress` throws goes before all of them: it is a request to stop.
class PackParts::Worker {
 public:
  Worker(PackParts& parts, const PackProgress& progress) : parts_(parts), progress_(progress) {}

  void run(int threads) {
    {
      std::vector<std::jthread> running;
      for (int i = 0; i < std::clamp(threads, 1, parts_.parts()); ++i) running.emplace_back([this] { work(); });
    }
    if (failure_) std::rethrow_exception(failure_);
  }

 private:
  void work() {
    while (!failed_.load()) {
      const int part = next_.fetch_add(1);
      if (part >= parts_.parts()) return;
      const auto range = parts_.tiles(part);
      try {
        if (!keep(part, range)) pack(part, range);
      } catch (...) {
        fail(range.last);
      }
    }
  }

  // Whether the part is there already, whole and made from the same things.
  bool keep(int part, TileRange range) {
    const auto path = parts_.path(part);
    if (!std::filesystem::exists(path)) return false;
    bool usable = false;
    try {
      const Shard shard(path);
      usable = shard.info().creator == creator(range) && damaged_tiles(shard).empty();
    } catch (const Error&) {
      usable = false;
    }
    const std::lock_guard lock(mutex_);
    (usable ? parts_.kept_tiles_ : parts_.replaced_tiles_) += range.count();
    if (usable) report(range.count());
    return usable;
  }

  void pack(int part, TileRange range) {
    const auto& source = parts_.source_;
    const ShardShape shape{range.count(), source.shape()};
    ShardWriter writer(parts_.path(part), shape);
    auto info = empty_info(source);
    info.creator = creator(range);
    for (int tile = range.first; tile < range.last; ++tile) {
      if (is_moot(tile)) return;
      try {
        const auto labelled = source.read(tile);
        append_tile(info, source.names()[static_cast<std::size_t>(tile)], source.origin(tile), labelled);
        const std::vector<BandScale> as_they_are(static_cast<std::size_t>(info.bands));
        writer.write_tile(tile - range.first, stored_pixels(labelled.raster.pixels, info.dtype, as_they_are),
                          labelled.labels);
      } catch (...) {
        fail(tile + 1);
        return;
      }
      const std::lock_guard lock(mutex_);
      report(1);
    }
    normalise_by_training_tiles(info);
    // Whoever takes it over checks it, so it need not be on the disk.
    writer.finish(info, Durable::no);
  }

  [[nodiscard]] std::string creator(TileRange range) const {
    const auto& source = parts_.source_;
    const TileShape& shape = source.shape();
    auto hash = fnv1a(fmt::format("{} {} {}x{}x{}\n", source.classes(), static_cast<int>(shape.dtype), shape.height,
                                  shape.width, shape.bands));
    for (int tile = range.first; tile < range.last; ++tile)
      hash = fnv1a(source.names()[static_cast<std::size_t>(tile)] + '\n' + source.fingerprint(tile), hash);
    return fmt::format("plume {} part {:016x}", PLUME_VERSION, hash);
  }

  // Whether packing the tile can no longer change what pack() throws.
  bool is_moot(int tile) {
    const std::lock_guard lock(mutex_);
    return failure_ && precedence_ <= tile;
  }

  // Keeps the exception being handled where it goes before the one kept.
  void fail(int precedence) {
    const std::lock_guard lock(mutex_);
    keep_failure(precedence);
  }

  // The lock is held.
  void keep_failure(int precedence) {
    if (!failure_ || precedence < precedence_) {
      failure_ = std::current_exception();
      precedence_ = precedence;
    }
    failed_ = true;
  }

  // The lock is held.
  void report(int tiles) {
    done_ += tiles;
    if (failed_.load() || !progress_) return;
    try {
      progress_(done_, parts_.range_.count());
    } catch (...) {
      keep_failure(0);
    }
  }

  PackParts& parts_;
  const PackProgress& progress_;
  std::atomic<int> next_{0};
  std::atomic<bool> failed_{false};
  std::mutex mutex_;  // guards all below, and the counts of parts_
  int done_ = 0;
  std::exception_ptr failure_;
  int precedence_ = 0;  // of failure_: 0 for progress_, 1 + number of the tile otherwise
};

void PackParts::pack(int threads, const PackProgress& progress) {
  Worker(*this, progress).run(threads);
}

}  // namespace plume::data
