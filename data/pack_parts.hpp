// Tiles on their way into a shard: in files of a few tiles each, so that a packing that was killed goes on.
#pragma once

#include <filesystem>
#include <vector>

#include "data/pack.hpp"
#include "data/shard.hpp"

namespace plume::data {

// Tiles [first, last) of a source.
struct TileRange {
  int first = 0;
  int last = 0;
  [[nodiscard]] int count() const { return last - first; }
};

// Each part is a small shard, written whole, synced and renamed. It names what it was made from by a hash over the
// source's fingerprints and keeps its tiles' checksums; only a part that fits both is taken over.
class PackParts {
 public:
  // Makes and locks the folder "<output>.parts". Throws environment_error: it cannot be made, or another process has it.
  PackParts(const TileSource& source, TileRange range, const std::filesystem::path& output, int part_tiles);
  ~PackParts();  // takes the folder away where it is empty
  PackParts(const PackParts&) = delete;
  PackParts& operator=(const PackParts&) = delete;

  // Packs the parts that are not there yet, on several threads. Whatever their timing, the error thrown is that of the
  // first bad tile, or what `progress` threw, which is a request to stop.
  void pack(int threads, const PackProgress& progress);

  // Afterwards.
  [[nodiscard]] int kept_tiles() const { return kept_tiles_; }
  [[nodiscard]] int replaced_tiles() const { return replaced_tiles_; }
  [[nodiscard]] int parts() const { return (range_.count() + part_tiles_ - 1) / part_tiles_; }
  [[nodiscard]] std::filesystem::path path(int part) const;

  // With all that is in the folder.
  void remove();

 private:
  class Worker;
  [[nodiscard]] TileRange tiles(int part) const;  // of the source

  const TileSource& source_;
  TileRange range_;
  std::filesystem::path folder_;
  int part_tiles_;
  int lock_ = -1;
  int kept_tiles_ = 0;
  int replaced_tiles_ = 0;
};

}  // namespace plume::data
