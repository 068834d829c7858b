// What a shard is packed from: tiles by number, each with its labels and where it came from.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/images/raster.hpp"
#include "kernels/base/dtype.hpp"

namespace plume::data {

// Of every tile of a source or shard.
struct TileShape {
  int height = 0;
  int width = 0;
  int bands = 0;
  DType dtype = DType::u8;  // of images: u8, u16 or f32
};

// Files without their folders, as a shard keeps them.
struct TileOrigin {
  std::string image;
  std::string labels;
};

struct LabelledTile {
  Raster raster;                     // of the source's shape
  std::vector<std::uint8_t> labels;  // [height, width], kernels::ignore_label = ignored
};

// Thread-safe after construction.
class TileSource {
 public:
  TileSource() = default;
  virtual ~TileSource() = default;
  TileSource(const TileSource&) = delete;
  TileSource& operator=(const TileSource&) = delete;

  [[nodiscard]] virtual const TileShape& shape() const = 0;
  [[nodiscard]] virtual int classes() const = 0;                            // shard.hpp
  [[nodiscard]] virtual std::vector<float> label_target() const = 0;        // shard.hpp; empty: labels are not soft
  [[nodiscard]] virtual const std::vector<std::string>& names() const = 0;  // of the tiles, sorted, no two alike
  [[nodiscard]] virtual TileOrigin origin(int tile) const = 0;

  // Without reading pixels, so that tiles can be shared out before.
  [[nodiscard]] virtual Georeference georeference(int tile) const = 0;

  // Text that changes when what read() gives does: options, files, their sizes and times.
  [[nodiscard]] virtual std::string fingerprint(int tile) const = 0;

  // Throws input_error naming the file.
  [[nodiscard]] virtual LabelledTile read(int tile) const = 0;
};

}  // namespace plume::data
