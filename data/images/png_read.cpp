// PNGs by libpng's low-level interface, which gives values as stored.
#include <png.h>

#include <algorithm>
#include <array>
#include <bit>
#include <csetjmp>
#include <cstring>
#include <string>
#include <vector>

#include "data/images/png.hpp"
#include "data/images/raster_rules.hpp"
#include "kernels/base/error.hpp"

namespace plume::data {
namespace {

// libpng leaves its calls by longjmp, so they stand in functions without objects to destroy. Those return false, and
// error() says why.
class PngReader {
 public:
  explicit PngReader(std::span<const std::byte> bytes)
      : left_(bytes), png_(png_create_read_struct(PNG_LIBPNG_VER_STRING, this, fail, ignore)) {
    if (png_ != nullptr) info_ = png_create_info_struct(png_);
    if (info_ == nullptr) throw std::bad_alloc();
  }
  ~PngReader() { png_destroy_read_struct(&png_, &info_, nullptr); }
  PngReader(const PngReader&) = delete;
  PngReader& operator=(const PngReader&) = delete;

  bool read_header() {
    if (setjmp(png_jmpbuf(png_)) != 0) return false;  // NOLINT(cert-err52-cpp): libpng has no other way
    png_set_read_fn(png_, this, give);
    png_read_info(png_, info_);
    png_set_packing(png_);
    if constexpr (std::endian::native == std::endian::little) png_set_swap(png_);
    png_set_interlace_handling(png_);
    png_read_update_info(png_, info_);
    return true;
  }

  bool read_rows(png_bytep* rows) {
    if (setjmp(png_jmpbuf(png_)) != 0) return false;  // NOLINT(cert-err52-cpp): libpng has no other way
    png_read_image(png_, rows);
    return true;
  }

  [[nodiscard]] const char* error() const { return error_.data(); }
  [[nodiscard]] png_uint_32 height() const { return png_get_image_height(png_, info_); }
  [[nodiscard]] png_uint_32 width() const { return png_get_image_width(png_, info_); }
  [[nodiscard]] int channels() const { return png_get_channels(png_, info_); }
  [[nodiscard]] bool has_alpha() const { return (png_get_color_type(png_, info_) & PNG_COLOR_MASK_ALPHA) != 0; }
  [[nodiscard]] bool wide() const { return png_get_bit_depth(png_, info_) == 16; }
  [[nodiscard]] std::size_t row_bytes() const { return png_get_rowbytes(png_, info_); }

  // By channel, the one colour that is transparent; empty where there is none.
  [[nodiscard]] std::vector<int> transparent_color() const {
    png_color_16p color = nullptr;
    if (png_get_tRNS(png_, info_, nullptr, nullptr, &color) == 0 || color == nullptr) return {};
    switch (png_get_color_type(png_, info_)) {
      case PNG_COLOR_TYPE_GRAY: return {color->gray};
      case PNG_COLOR_TYPE_RGB: return {color->red, color->green, color->blue};
      default: return {};
    }
  }

 private:
  static void fail(png_structp png, png_const_charp message) {
    auto& reader = *static_cast<PngReader*>(png_get_error_ptr(png));
    std::strncpy(reader.error_.data(), message, reader.error_.size() - 1);
    png_longjmp(png, 1);
  }
  static void ignore(png_structp, png_const_charp) {}
  static void give(png_structp png, png_bytep to, std::size_t count) {
    auto& reader = *static_cast<PngReader*>(png_get_io_ptr(png));
    if (count > reader.left_.size()) png_error(png, "it ends too early");
    std::memcpy(to, reader.left_.data(), count);
    reader.left_ = reader.left_.subspan(count);
  }

  std::span<const std::byte> left_;
  std::array<char, 128> error_{};
  png_structp png_;
  png_infop info_ = nullptr;
};

// Interleaved channels of T to the chosen bands and their validity.
template <class T>
void take(Raster& raster, const std::byte* stored, std::size_t channels, const std::vector<int>& chosen, bool alpha,
          const std::vector<int>& transparent) {
  std::vector<T> pixel(channels);
  const std::size_t pixels = raster.pixels.size() / chosen.size();
  for (std::size_t p = 0; p < pixels; ++p) {
    std::memcpy(pixel.data(), stored + p * channels * sizeof(T), channels * sizeof(T));
    for (std::size_t slot = 0; slot < chosen.size(); ++slot)
      raster.pixels[p * chosen.size() + slot] = static_cast<float>(pixel[static_cast<std::size_t>(chosen[slot])]);
    if ((alpha && pixel.back() == 0) ||
        (!transparent.empty() && std::equal(transparent.begin(), transparent.end(), pixel.begin())))
      mark_invalid(raster, p);
  }
}

}  // namespace

Raster decode_png(std::span<const std::byte> bytes, const std::string& name, const std::vector<int>& bands,
                  std::int64_t most_values) {
  PngReader reader(bytes);
  const auto refuse = [&] { return input_error("cannot read {} as a PNG: {}", name, reader.error()); };
  if (!reader.read_header()) throw refuse();
  const int channels = reader.channels();
  const auto chosen = chosen_bands(name, bands, channels - (reader.has_alpha() ? 1 : 0));
  require_extent(name, reader.height(), reader.width(), std::ssize(chosen), most_values);

  Raster raster;
  raster.height = static_cast<int>(reader.height());
  raster.width = static_cast<int>(reader.width());
  raster.bands = static_cast<int>(chosen.size());
  raster.stored = reader.wide() ? DType::u16 : DType::u8;
  std::vector<std::byte> stored(reader.row_bytes() * reader.height());
  std::vector<png_bytep> rows(reader.height());
  for (std::size_t row = 0; row < rows.size(); ++row)
    rows[row] = reinterpret_cast<png_bytep>(stored.data()) + row * reader.row_bytes();
  if (!reader.read_rows(rows.data())) throw refuse();

  raster.pixels.resize(static_cast<std::size_t>(raster.height) * static_cast<std::size_t>(raster.width) *
                       chosen.size());
  const auto take_all = reader.wide() ? take<std::uint16_t> : take<std::uint8_t>;
  take_all(raster, stored.data(), static_cast<std::size_t>(channels), chosen, reader.has_alpha(),
           reader.transparent_color());
  clear_invalid(raster);
  return raster;
}

}  // namespace plume::data
