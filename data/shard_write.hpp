// Writing a shard: HDF5 lays the file out, the pixels are written straight to their places, HDF5 adds the rest.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

#include "data/shard.hpp"
#include "data/tile_source.hpp"
#include "kernels/base/atomic_file.hpp"

namespace plume::data {

// What the layout needs to know before the first tile is written.
struct ShardShape {
  int tiles = 0;
  TileShape tile;

  [[nodiscard]] std::size_t label_bytes() const;  // of one tile
  [[nodiscard]] std::size_t image_bytes() const;
};

// CRC32C of a tile's image and then of its labels.
[[nodiscard]] std::uint32_t tile_checksum(std::span<const std::byte> image, std::span<const std::uint8_t> labels);

// The file appears under its name at finish(); destroyed before, it leaves nothing.
// All throw environment_error naming the file: no folder, no permission, disk full.
class ShardWriter {
 public:
  ShardWriter(const std::filesystem::path& path, const ShardShape& shape);
  ~ShardWriter();
  ShardWriter(const ShardWriter&) = delete;
  ShardWriter& operator=(const ShardWriter&) = delete;

  // Tiles in any order, each once, from several threads. Sizes are image_bytes() and label_bytes().
  void write_tile(int tile, std::span<const std::byte> image, std::span<const std::uint8_t> labels);

  // Adds everything but the pixels and publishes the file. info's shape must be the one given above; its checksums are
  // those of what was written, whatever it says.
  void finish(const ShardInfo& info);

 private:
  void lay_out();
  void reserve(std::uint64_t bytes) const;
  void write_at(std::uint64_t offset, std::span<const std::byte> bytes) const;

  AtomicFile file_;
  ShardShape shape_;
  int descriptor_ = -1;
  std::uint64_t images_offset_ = 0;
  std::uint64_t labels_offset_ = 0;
  std::vector<std::uint32_t> checksums_;  // [tiles]
};

}  // namespace plume::data
