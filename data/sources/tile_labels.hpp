// Where the labels of a folder's tiles come from.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "data/images/raster.hpp"

namespace plume::data {

// Thread-safe after match().
class TileLabels {
 public:
  TileLabels() = default;
  virtual ~TileLabels() = default;
  TileLabels(const TileLabels&) = delete;
  TileLabels& operator=(const TileLabels&) = delete;

  [[nodiscard]] virtual int classes() const = 0;                      // shard.hpp
  [[nodiscard]] virtual std::vector<float> label_target() const = 0;  // shard.hpp; empty: labels are not soft

  // Called once, with all tiles. Throws input_error where one of them has no labels.
  virtual void match(const std::vector<std::filesystem::path>& tiles) = 0;

  // By the tile's number in match(): the file that its labels are from, for people, without folders; and text that
  // changes when they do.
  [[nodiscard]] virtual std::string origin(int tile) const = 0;
  [[nodiscard]] virtual std::string fingerprint(int tile) const = 0;

  // [height, width] of the raster, which is the tile's; whether its pixels are valid is not looked at.
  // Throws input_error naming the file.
  [[nodiscard]] virtual std::vector<std::uint8_t> labels(int tile, const Raster& raster) const = 0;
};

// A file's place, size and time of change; of one that is gone, its place.
[[nodiscard]] std::string file_state(const std::filesystem::path& path);

}  // namespace plume::data
