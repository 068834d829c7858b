// PNG images.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "data/images/byte_sink.hpp"
#include "data/images/raster.hpp"

namespace plume::data {

// Grey, RGB or palette (its indices), 1 to 16 bits, values as stored; alpha 0 or the transparent colour make a pixel
// not valid. name: for errors; bands: 0-based, in that order; empty: all. Throws input_error naming it: damaged, a band
// that is not there, more than most_values or raster.hpp's limits.
[[nodiscard]] Raster decode_png(std::span<const std::byte> bytes, const std::string& name,
                                const std::vector<int>& bands = {}, std::int64_t most_values = max_values);

// Writes one whose rows come one after the other, from above. 8 bits: 1 channel grey, 3 RGB, 4 RGBA.
// What the sink throws comes through; environment_error where libpng cannot go on.
class PngWriter {
 public:
  PngWriter(ImageShape shape, ByteSink sink);
  ~PngWriter();
  PngWriter(const PngWriter&) = delete;
  PngWriter& operator=(const PngWriter&) = delete;

  void write_rows(std::span<const std::uint8_t> pixels);
  // After the last row.
  void finish();

 private:
  struct Encoder;
  std::unique_ptr<Encoder> encoder_;
};

// A whole one.
[[nodiscard]] std::vector<std::byte> encode_png(ImageShape shape, std::span<const std::uint8_t> pixels);

// The same to a file, through AtomicFile, not durable. Throws environment_error naming the path.
void write_png(const std::filesystem::path& path, ImageShape shape, std::span<const std::uint8_t> pixels);

}  // namespace plume::data
