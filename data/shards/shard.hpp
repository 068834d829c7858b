// A packed data set: one HDF5 file that h5py reads and that we map into memory.
//
// Datasets, N tiles sorted by name (pack.hpp writes them; others may):
//   images                [N, height, width, bands]  u8, u16 or f32, contiguous, uncompressed: values as stored in the tiles
//   labels                [N, height, width]         u8, contiguous: 0 background, 1.. classes, 255 ignored
//   split                 [N]                        u8: 0 train, 1 val, 2 test
//   tile_name             [N]                        fixed-length UTF-8: file name without extension
//   tile_file, mask_file  [N]                        fixed-length UTF-8: provenance, file names without folders
//   projection            [N]                        fixed-length UTF-8: WKT, empty where unknown
//   geotransform          [N, 6]                     f64: GDAL's affine transform
//   positive_fraction     [N, classes]               f32: share of each class among the tile's pixels that are not
//                                                    ignored (classes = 1: the share of label 1)
//   checksum              [N]                        u32: CRC32C of the tile's image and then of its labels
//   counted               [N]                        i64: pixels that are not ignored
//   band_mean             [N, bands]                 f64: mean of the values over these pixels
//   band_squares          [N, bands]                 f64: sum of squared deviations from that mean
//   band_least, band_most [N, bands]                 f32: of the values over measured pixels, ignored ones too
// Attributes of the root: format_version (i32), bands, classes (i32), scale, offset (f32 [bands]; value = raw *
// scale + offset), mean, std (f32 [bands]; of the values over the training split, ignored pixels left out; before
// they were rounded to u8 or u16), creator (text); where labels are soft, label_target (f32 [classes]: how much of a
// positive each label is, from 0 to 1).
// Format 1, which is read too, lacks the datasets from checksum on, and its scale and offset are one number each.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "data/images/raster.hpp"
#include "data/shards/moments.hpp"
#include "data/shards/split.hpp"
#include "kernels/base/dtype.hpp"
#include "kernels/base/error.hpp"

namespace plume::data {

inline constexpr int shard_format_version = 2;

// Everything but the pixels.
struct ShardInfo {
  int tiles = 0;
  int height = 0;
  int width = 0;
  int bands = 0;
  int classes = 1;
  DType dtype = DType::u8;          // of images: u8, u16 or f32
  std::vector<float> scale;         // [bands], > 0
  std::vector<float> offset;        // [bands]
  std::vector<float> mean;          // [bands], training split
  std::vector<float> std;           // [bands], > 0
  std::vector<float> label_target;  // [classes], or empty
  std::string creator;

  // Per tile.
  std::vector<Split> split;
  std::vector<std::string> name;
  std::vector<std::string> tile_file;
  std::vector<std::string> mask_file;
  std::vector<Georeference> georeference;
  std::vector<float> positive_fraction;  // [tiles, classes]

  // Per tile; empty where the file is of format 1.
  std::vector<std::uint32_t> checksum;
  std::vector<Moments> moments;   // of pixels that are not ignored
  std::vector<float> band_least;  // [tiles, bands], measured pixels
  std::vector<float> band_most;
};

// What takes raw values to what the network reads: (raw - mean[band]) / std[band].
struct BandNormalisation {
  std::vector<float> mean;  // [bands]
  std::vector<float> std;
};

// From a mean and std of values (empty: 0 and 1) to those of raw values: the shard's scale and offset are in them.
[[nodiscard]] BandNormalisation normalisation_of_raw(const ShardInfo& info, std::span<const float> mean,
                                                     std::span<const float> std);

// A part of a tile.
struct Window {
  int row = 0;
  int column = 0;
  int height = 0;
  int width = 0;
  bool operator==(const Window&) const = default;
};

// The files that a path means: itself; where it is a folder, the .h5 files in it; where it has one of *?[ and is no
// file, those that match. Sorted by name. Throws input_error where there is none, and where one of several is
// "...-00001-of-00004.h5" (pack.hpp) and the rest is missing.
[[nodiscard]] std::vector<std::filesystem::path> shard_files(const std::filesystem::path& path);

// A shard opened for reading, or several as one, their tiles in the order of shard_files; mean and std are then over
// the training tiles of all. Const and thread-safe after construction.
class Shard {
 public:
  // Throws input_error as shard_files; where several are no set: another size, band count, type, scale or classes, a
  // tile in two of them, one of format 1; and, for each, naming the file and what is wrong: missing, truncated, not
  // HDF5, a dataset absent or of another type or shape, compressed or chunked images, extents beyond the file's end,
  // an unknown format version.
  explicit Shard(const std::filesystem::path& path);
  ~Shard();
  Shard(Shard&&) noexcept;
  Shard& operator=(Shard&&) noexcept;

  [[nodiscard]] const std::filesystem::path& path() const noexcept;
  [[nodiscard]] const ShardInfo& info() const noexcept;

  // The tiles of a split, ascending.
  [[nodiscard]] std::span<const int> tiles(Split split) const noexcept;

  // The share of pixels with any label from 1 up (not ignored), from positive_fraction.
  [[nodiscard]] float foreground_fraction(int tile) const noexcept;

  // A tile's bytes in the mapping: [height, width, bands] of info().dtype, and [height, width] labels.
  [[nodiscard]] std::span<const std::byte> image(int tile) const noexcept;
  [[nodiscard]] std::span<const std::uint8_t> labels(int tile) const noexcept;

  // out [window.height, window.width, bands] = (value - mean[band]) / std[band], by normalisation_of_raw.
  // Empty mean or std: 0 or 1. Throws input_error naming the tile for NaN or infinity in the file.
  void read(int tile, const Window& window, std::span<const float> mean, std::span<const float> std, float* out) const;
  // The same for the whole tile.
  void read(int tile, std::span<const float> mean, std::span<const float> std, float* out) const;

  // out [window.height, window.width, bands] of info().dtype, as stored. Throws like read().
  void read_raw(int tile, const Window& window, std::byte* out) const;

  // out [window.height, window.width]. Throws input_error naming the tile for a label that is no class and not 255.
  void read_labels(int tile, const Window& window, std::uint8_t* out) const;

 private:
  [[nodiscard]] Error not_finite(int tile) const;

  struct Mapping;
  std::unique_ptr<Mapping> mapping_;
};

}  // namespace plume::data
