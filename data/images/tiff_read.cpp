// TIFFs block by block: a strip or tile is decoded by libtiff, and its samples go to their places.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <map>

#include "data/images/geotiff_tags.hpp"
#include "data/images/raster_rules.hpp"
#include "data/images/tiff.hpp"
#include "data/images/tiff_handle.hpp"
#include "kernels/base/error.hpp"

namespace plume::data {
namespace {

// A tile may be larger than its image; so many samples in any case.
constexpr std::int64_t usual_block = std::int64_t{1} << 24;

// Samples of a pixel lie together, so those that are not asked for are decoded too. So many times what may be asked for.
constexpr std::int64_t most_decoded = 8;

// How samples lie in the file.
struct Layout {
  std::uint32_t height = 0;
  std::uint32_t width = 0;
  std::uint16_t samples = 1;
  std::uint16_t bits = 1;
  std::uint16_t format = SAMPLEFORMAT_UINT;
  bool together = true;  // all samples of a pixel, or one plane after the other
  bool tiled = false;
  std::uint32_t block_height = 0;
  std::uint32_t block_width = 0;
  std::vector<int> measured;  // samples by band
  std::vector<int> alpha;
};

template <class T>
T tag_of(::TIFF* tiff, std::uint32_t tag, T absent = {}) {
  T value = absent;
  return TIFFGetFieldDefaulted(tiff, tag, &value) != 0 ? value : absent;
}

Layout layout_of(::TIFF* tiff) {
  Layout layout;
  layout.height = tag_of<std::uint32_t>(tiff, TIFFTAG_IMAGELENGTH);
  layout.width = tag_of<std::uint32_t>(tiff, TIFFTAG_IMAGEWIDTH);
  layout.samples = tag_of<std::uint16_t>(tiff, TIFFTAG_SAMPLESPERPIXEL, 1);
  layout.bits = tag_of<std::uint16_t>(tiff, TIFFTAG_BITSPERSAMPLE, 1);
  layout.format = tag_of<std::uint16_t>(tiff, TIFFTAG_SAMPLEFORMAT, SAMPLEFORMAT_UINT);
  layout.together = tag_of<std::uint16_t>(tiff, TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG) == PLANARCONFIG_CONTIG;
  layout.tiled = TIFFIsTiled(tiff) != 0;
  if (layout.tiled) {
    layout.block_height = tag_of<std::uint32_t>(tiff, TIFFTAG_TILELENGTH);
    layout.block_width = tag_of<std::uint32_t>(tiff, TIFFTAG_TILEWIDTH);
  } else {
    layout.block_height = std::min(layout.height, tag_of<std::uint32_t>(tiff, TIFFTAG_ROWSPERSTRIP, layout.height));
    layout.block_width = layout.width;
  }
  std::uint16_t extra = 0;
  const std::uint16_t* kinds = nullptr;
  if (TIFFGetField(tiff, TIFFTAG_EXTRASAMPLES, &extra, &kinds) == 0) extra = 0;
  for (int sample = 0; sample < layout.samples; ++sample) {
    const int place = sample - (layout.samples - extra);  // extra samples are the last
    const bool alpha = place >= 0 && (kinds[place] == EXTRASAMPLE_ASSOCALPHA || kinds[place] == EXTRASAMPLE_UNASSALPHA);
    (alpha ? layout.alpha : layout.measured).push_back(sample);
  }
  return layout;
}

// body(a value of the samples' type); false for a type that is not read.
template <class Body>
bool with_sample(const Layout& layout, Body&& body) {
  const auto is = [&](int bits, int format) { return layout.bits == bits && layout.format == format; };
  if (is(8, SAMPLEFORMAT_UINT)) return body(std::uint8_t{}), true;
  if (is(16, SAMPLEFORMAT_UINT)) return body(std::uint16_t{}), true;
  if (is(32, SAMPLEFORMAT_UINT)) return body(std::uint32_t{}), true;
  if (is(8, SAMPLEFORMAT_INT)) return body(std::int8_t{}), true;
  if (is(16, SAMPLEFORMAT_INT)) return body(std::int16_t{}), true;
  if (is(32, SAMPLEFORMAT_INT)) return body(std::int32_t{}), true;
  if (is(32, SAMPLEFORMAT_IEEEFP)) return body(float{}), true;
  if (is(64, SAMPLEFORMAT_IEEEFP)) return body(double{}), true;
  return false;
}

DType stored_type_of(const Layout& layout) {
  if (layout.format == SAMPLEFORMAT_UINT && layout.bits == 8) return DType::u8;
  return layout.format == SAMPLEFORMAT_UINT && layout.bits == 16 ? DType::u16 : DType::f32;
}

class TiffReader {
 public:
  TiffReader(TiffHandle& tiff, Layout layout, const std::string& name)
      : tiff_(tiff), layout_(std::move(layout)), name_(name) {}

  // chosen: samples, not bands.
  void read(Raster& raster, const std::vector<int>& chosen) {
    const bool known = with_sample(layout_, [&](auto sample) { read_as<decltype(sample)>(raster, chosen); });
    if (!known)
      throw input_error(
          "{}: samples of {} bits and format {} are not read; save it as integers of 8, 16 or 32 bits or as "
          "floats of 32 or 64",
          name_, layout_.bits, layout_.format);
  }

 private:
  template <class T>
  void read_as(Raster& raster, const std::vector<int>& chosen) {
    require_plain_rows(sizeof(T));
    const int planes = layout_.together ? 1 : layout_.samples;
    for (int plane = 0; plane < planes; ++plane) {
      const auto wanted = places_of(plane, chosen);
      if (wanted.empty()) continue;
      for (std::uint32_t row = 0; row < layout_.height; row += layout_.block_height) {
        for (std::uint32_t column = 0; column < layout_.width; column += layout_.block_width) {
          decode(row, column, static_cast<std::uint16_t>(plane));
          for (const auto& [sample, slot] : wanted) place<T>(raster, row, column, sample, slot);
        }
      }
    }
  }

  // Pixel by pixel, each with all of its samples. YCbCr that has fewer samples of colour than of brightness has shorter rows.
  void require_plain_rows(std::size_t sample_bytes) const {
    const std::size_t samples = layout_.together ? layout_.samples : 1U;
    if (static_cast<std::size_t>(row_bytes()) != layout_.block_width * samples * sample_bytes)
      throw input_error("{}: its samples do not lie pixel by pixel, as in subsampled YCbCr; save it as RGB", name_);
  }

  struct Place {
    int sample = 0;  // within a pixel of the block
    int slot = 0;    // among the raster's bands; alpha for an alpha sample
  };
  static constexpr int alpha = -1;

  // What a plane's blocks hold that is wanted.
  [[nodiscard]] std::vector<Place> places_of(int plane, const std::vector<int>& chosen) const {
    std::vector<Place> places;
    const auto add = [&](int sample, int slot) {
      if (layout_.together || sample == plane) places.push_back({layout_.together ? sample : 0, slot});
    };
    for (std::size_t slot = 0; slot < chosen.size(); ++slot) add(chosen[slot], static_cast<int>(slot));
    for (const int sample : layout_.alpha) add(sample, alpha);
    return places;
  }

  // The block that begins there into block_.
  void decode(std::uint32_t row, std::uint32_t column, std::uint16_t plane) {
    const auto size = static_cast<std::size_t>(layout_.tiled ? TIFFTileSize(tiff_) : TIFFStripSize(tiff_));
    block_.resize(size);
    const auto bytes = static_cast<tmsize_t>(size);
    const tmsize_t decoded =
        layout_.tiled ? TIFFReadEncodedTile(tiff_, TIFFComputeTile(tiff_, column, row, 0, plane), block_.data(), bytes)
                      : TIFFReadEncodedStrip(tiff_, TIFFComputeStrip(tiff_, row, plane), block_.data(), bytes);
    const auto rows = std::min(layout_.block_height, layout_.height - row);
    const auto needed = static_cast<tmsize_t>(rows) * row_bytes();
    if (decoded < needed)
      throw input_error("cannot read {} as a TIFF: {}", name_,
                        tiff_.error().empty() ? "it is cut short" : tiff_.error());
  }

  [[nodiscard]] tmsize_t row_bytes() const { return layout_.tiled ? TIFFTileRowSize(tiff_) : TIFFScanlineSize(tiff_); }

  template <class T>
  void place(Raster& raster, std::uint32_t row, std::uint32_t column, int sample, int slot) const {
    const std::uint32_t rows = std::min(layout_.block_height, layout_.height - row);
    const std::uint32_t columns = std::min(layout_.block_width, layout_.width - column);
    const std::size_t step = sizeof(T) * (layout_.together ? layout_.samples : 1U);
    const auto stride = static_cast<std::size_t>(row_bytes());
    for (std::uint32_t y = 0; y < rows; ++y) {
      const std::byte* from = block_.data() + y * stride + static_cast<std::size_t>(sample) * sizeof(T);
      const std::size_t first = std::size_t{row + y} * layout_.width + column;
      for (std::uint32_t x = 0; x < columns; ++x, from += step) {
        T value;
        std::memcpy(&value, from, sizeof(T));
        if (slot != alpha) {
          raster.pixels[(first + x) * static_cast<std::size_t>(raster.bands) + static_cast<std::size_t>(slot)] =
              static_cast<float>(value);
        } else if (value == T{0}) {
          mark_invalid(raster, first + x);
        }
      }
    }
  }

  TiffHandle& tiff_;
  Layout layout_;
  const std::string& name_;
  std::vector<std::byte> block_;
};

// A pixel is fill where any chosen band holds the value.
void mark_nodata(Raster& raster, float nodata) {
  const auto bands = static_cast<std::size_t>(raster.bands);
  for (std::size_t i = 0; i < raster.pixels.size(); ++i) {
    const float value = raster.pixels[i];
    if (value == nodata || (std::isnan(value) && std::isnan(nodata))) mark_invalid(raster, i / bands);
  }
}

void require_block(const Layout& layout, const std::string& name, std::int64_t most_values) {
  const std::int64_t samples = layout.together ? layout.samples : 1;
  const std::int64_t limit = std::max(most_values, usual_block) / samples;
  if (layout.block_height == 0 || layout.block_width == 0 ||
      std::int64_t{layout.block_height} > limit / std::int64_t{layout.block_width})
    throw input_error("{}: is cut into blocks of {}x{}, which is no usable size", name, layout.block_height,
                      layout.block_width);
}

// The same compressed bytes may stand for any number of blocks, so a small file could make much work.
void require_work(const Layout& layout, std::size_t chosen, const std::string& name, std::int64_t most_values) {
  const auto decoded = layout.together ? std::int64_t{layout.samples} : std::ssize(layout.alpha) + std::int64_t(chosen);
  if (std::int64_t{layout.height} * layout.width > most_decoded * most_values / decoded)
    throw input_error("{}: is {}x{} with {} samples to decode at each pixel, which is too much", name, layout.height,
                      layout.width, decoded);
}

}  // namespace

Raster decode_tiff(std::span<const std::byte> bytes, const std::string& name, const std::vector<int>& bands,
                   std::int64_t most_values) {
  const std::int64_t widest = 8;  // bytes of a sample
  TiffHandle tiff(bytes, widest * std::max(most_values, usual_block));
  if (!tiff) throw input_error("cannot read {} as a TIFF: {}", name, tiff.error());
  // JPEG inside of a TIFF is let out as RGB.
  if (tag_of<std::uint16_t>(tiff, TIFFTAG_COMPRESSION) == COMPRESSION_JPEG)
    TIFFSetField(tiff, TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
  const Layout layout = layout_of(tiff);
  if (layout.measured.empty()) throw input_error("{} holds no band of measurements", name);
  std::vector<int> samples = chosen_bands(name, bands, static_cast<int>(layout.measured.size()));
  require_extent(name, layout.height, layout.width, std::ssize(samples), most_values);
  require_block(layout, name, most_values);
  require_work(layout, samples.size(), name, most_values);
  for (int& sample : samples) sample = layout.measured[static_cast<std::size_t>(sample)];

  Raster raster;
  raster.height = static_cast<int>(layout.height);
  raster.width = static_cast<int>(layout.width);
  raster.bands = static_cast<int>(samples.size());
  raster.stored = stored_type_of(layout);
  raster.georeference = read_geotiff_tags(tiff);
  raster.pixels.resize(std::size_t{layout.height} * layout.width * samples.size());
  TiffReader(tiff, layout, name).read(raster, samples);
  if (const auto nodata = read_nodata_tag(tiff)) mark_nodata(raster, static_cast<float>(*nodata));
  clear_invalid(raster);
  return raster;
}

}  // namespace plume::data
