// An image in an HDF5 file (NetCDF-4's are such), stored in compressed chunks: these are fetched under HDF5's one lock
// and inflated outside of it, so that threads inflate side by side.
// Source: HDF5 File Format Specification 3.0, IV.A.2.l (filter pipeline); HDF5's H5Zshuffle.c; RFC 1950 (zlib).
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "data/formats/hdf5.hpp"
#include "data/formats/window.hpp"
#include "data/shared_cache.hpp"

namespace plume::data {

class ChunkedImage {
 public:
  // The dataset `name` at the file's root. Null where it is none of [height, width] integers of 8 or 16 bits,
  // little-endian, in chunks, deflated or not and shuffled or not; and where HDF5 cannot open it.
  [[nodiscard]] static std::unique_ptr<ChunkedImage> open(const std::filesystem::path& path, const std::string& name);
  ~ChunkedImage();
  ChunkedImage(const ChunkedImage&) = delete;
  ChunkedImage& operator=(const ChunkedImage&) = delete;

  [[nodiscard]] std::size_t height() const { return height_; }
  [[nodiscard]] std::size_t width() const { return width_; }

  // A window, which lies inside, to target [window.height, window.width], as stored; the fill value where nothing was
  // written. Up to 16 MiB of what was inflated last, and at least a chunk, is kept for the windows that follow.
  // Thread-safe. Throws input_error naming file and dataset for a chunk that is damaged.
  void read(const PixelWindow& window, std::byte* target) const;

 private:
  using Bytes = std::vector<std::byte>;
  struct Stored {
    Bytes bytes;
    std::uint32_t skipped = 0;  // a bit for each filter that this chunk did without
  };

  ChunkedImage(const std::filesystem::path& path, const std::string& name) : path_(path), name_(name) {}
  // Whether it is stored in a way that is read here.
  [[nodiscard]] bool describe();
  [[nodiscard]] bool describe_filters(hid_t properties);

  // Chunks by place: row * chunks_across() + column.
  [[nodiscard]] std::size_t chunks_across() const { return (width_ + chunk_width_ - 1) / chunk_width_; }
  [[nodiscard]] std::size_t chunk_bytes() const { return chunk_height_ * chunk_width_ * element_bytes_; }
  [[nodiscard]] Bytes read_chunk(std::size_t place) const;
  [[nodiscard]] Stored fetch(std::size_t place) const;
  [[nodiscard]] Bytes inflated(const Bytes& stored) const;
  [[nodiscard]] Bytes unshuffled(const Bytes& stored) const;
  [[noreturn]] void refuse(const char* why) const;

  std::filesystem::path path_;
  std::string name_;
  Hdf5File file_;
  Hdf5Dataset dataset_;
  std::size_t height_ = 0;
  std::size_t width_ = 0;
  std::size_t element_bytes_ = 0;
  std::size_t chunk_height_ = 0;
  std::size_t chunk_width_ = 0;
  std::vector<H5Z_filter_t> filters_;  // in the order in which they were applied
  Bytes fill_;                         // one element

  mutable SharedCache<std::size_t, Bytes> chunks_;  // by place
};

}  // namespace plume::data
