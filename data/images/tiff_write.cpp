// TIFFs in tiles of 256 x 256, each deflated with the predictor of its samples.
#include <algorithm>
#include <cstring>
#include <type_traits>

#include "data/images/geotiff_tags.hpp"
#include "data/images/tiff.hpp"
#include "data/images/tiff_handle.hpp"
#include "kernels/base/error.hpp"

namespace plume::data {
namespace {

constexpr int edge = 256;
constexpr std::size_t most_of_a_small_tiff = std::size_t{4'000'000'000};

template <class T>
void describe(::TIFF* tiff, ImageShape shape) {
  const auto set = [&](std::uint32_t tag, int value) { TIFFSetField(tiff, tag, value); };
  set(TIFFTAG_IMAGELENGTH, shape.height);
  set(TIFFTAG_IMAGEWIDTH, shape.width);
  set(TIFFTAG_SAMPLESPERPIXEL, shape.channels);
  set(TIFFTAG_BITSPERSAMPLE, 8 * sizeof(T));
  set(TIFFTAG_SAMPLEFORMAT, std::is_same_v<T, float> ? SAMPLEFORMAT_IEEEFP : SAMPLEFORMAT_UINT);
  set(TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_MINISBLACK);
  set(TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG);
  set(TIFFTAG_TILELENGTH, edge);
  set(TIFFTAG_TILEWIDTH, edge);
  set(TIFFTAG_COMPRESSION, COMPRESSION_ADOBE_DEFLATE);
  set(TIFFTAG_PREDICTOR, std::is_same_v<T, float> ? PREDICTOR_FLOATINGPOINT : PREDICTOR_HORIZONTAL);
  if (shape.channels > 1) {
    const std::vector<std::uint16_t> extra(static_cast<std::size_t>(shape.channels - 1), EXTRASAMPLE_UNSPECIFIED);
    TIFFSetField(tiff, TIFFTAG_EXTRASAMPLES, shape.channels - 1, extra.data());
  }
}

// One tile of the image; beyond the image's edges what the tile before left there.
template <class T>
void cut(std::vector<T>& tile, ImageShape shape, std::span<const T> pixels, int row, int column) {
  const auto channels = static_cast<std::size_t>(shape.channels);
  const int rows = std::min(edge, shape.height - row);
  const auto columns = static_cast<std::size_t>(std::min(edge, shape.width - column));
  for (int y = 0; y < rows; ++y) {
    const std::size_t first =
        static_cast<std::size_t>(row + y) * static_cast<std::size_t>(shape.width) + static_cast<std::size_t>(column);
    std::copy_n(pixels.data() + first * channels, columns * channels,
                tile.data() + static_cast<std::size_t>(y) * edge * channels);
  }
}

template <class T>
std::vector<std::byte> encode(ImageShape shape, std::span<const T> pixels, const Georeference& georeference) {
  TiffHandle tiff(pixels.size_bytes() > most_of_a_small_tiff);
  const auto refuse = [&] {
    return environment_error("cannot make a TIFF of {}x{} pixels: {}", shape.height, shape.width, tiff.error());
  };
  if (!tiff) throw refuse();
  describe<T>(tiff, shape);
  write_geotiff_tags(tiff, georeference);
  std::vector<T> tile(std::size_t{edge} * edge * static_cast<std::size_t>(shape.channels));
  for (int row = 0; row < shape.height; row += edge) {
    for (int column = 0; column < shape.width; column += edge) {
      cut(tile, shape, pixels, row, column);
      // libtiff predicts in place, in a copy that it makes because the caller's data is not its own.
      const auto number =
          TIFFComputeTile(tiff, static_cast<std::uint32_t>(column), static_cast<std::uint32_t>(row), 0, 0);
      if (TIFFWriteEncodedTile(tiff, number, tile.data(), static_cast<tmsize_t>(tile.size() * sizeof(T))) < 0)
        throw refuse();
    }
  }
  if (!tiff.finish()) throw refuse();
  return tiff.take();
}

}  // namespace

std::vector<std::byte> encode_tiff(ImageShape shape, std::span<const float> pixels, const Georeference& georeference) {
  return encode(shape, pixels, georeference);
}

std::vector<std::byte> encode_tiff(ImageShape shape, std::span<const std::uint8_t> pixels,
                                   const Georeference& georeference) {
  return encode(shape, pixels, georeference);
}

}  // namespace plume::data
