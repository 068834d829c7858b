// PNGs by libpng, row by row.
#include <png.h>

#include <cstddef>
#include <exception>
#include <stdexcept>
#include <string>
#include <utility>

#include "data/images/png.hpp"
#include "kernels/base/atomic_file.hpp"
#include "kernels/base/error.hpp"

namespace plume::data {
namespace {

int color_type(int channels) {
  switch (channels) {
    case 1: return PNG_COLOR_TYPE_GRAY;
    case 3: return PNG_COLOR_TYPE_RGB;
    case 4: return PNG_COLOR_TYPE_RGB_ALPHA;
    default: throw std::logic_error("a PNG has 1, 3 or 4 channels");
  }
}

}  // namespace

// libpng leaves its functions by longjmp, so nothing that must be destroyed lives between guarded() and a callback's
// end.
struct PngWriter::Encoder {
  ImageShape shape;
  ByteSink sink;
  png_structp png = nullptr;
  png_infop info = nullptr;
  std::string error{};
  std::exception_ptr thrown{};  // by the sink

  Encoder(ImageShape of, ByteSink to) : shape(of), sink(std::move(to)) {
    png = png_create_write_struct(PNG_LIBPNG_VER_STRING, this, on_error, on_warning);
    if (png != nullptr) info = png_create_info_struct(png);
    if (info == nullptr) {
      png_destroy_write_struct(&png, nullptr);
      throw environment_error("cannot make a PNG: out of memory");
    }
    png_set_write_fn(png, this, on_write, nullptr);
  }
  ~Encoder() { png_destroy_write_struct(&png, &info); }
  Encoder(const Encoder&) = delete;
  Encoder& operator=(const Encoder&) = delete;

  template <class Body>
  void guarded(const Body& body) {
    if (setjmp(png_jmpbuf(png)) == 0) {
      body();
      return;
    }
    if (thrown) std::rethrow_exception(std::exchange(thrown, nullptr));
    throw environment_error("cannot make a PNG of {}x{} pixels: {}", shape.height, shape.width, error);
  }

  [[noreturn]] static void on_error(png_structp png, png_const_charp message) {
    static_cast<Encoder*>(png_get_error_ptr(png))->error = message;
    png_longjmp(png, 1);
  }
  static void on_warning(png_structp, png_const_charp) {}

  static void on_write(png_structp png, png_bytep bytes, std::size_t count) {
    auto* encoder = static_cast<Encoder*>(png_get_io_ptr(png));
    try {
      encoder->sink(std::as_bytes(std::span(bytes, count)));
    } catch (...) {
      encoder->thrown = std::current_exception();
    }
    if (encoder->thrown) png_error(png, "it cannot be written");
  }
};

PngWriter::PngWriter(ImageShape shape, ByteSink sink) : encoder_(std::make_unique<Encoder>(shape, std::move(sink))) {
  const int type = color_type(shape.channels);
  encoder_->guarded([this, shape, type] {
    png_set_IHDR(encoder_->png, encoder_->info, static_cast<png_uint_32>(shape.width),
                 static_cast<png_uint_32>(shape.height), 8, type, PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
                 PNG_FILTER_TYPE_DEFAULT);
    png_set_sRGB(encoder_->png, encoder_->info, PNG_sRGB_INTENT_PERCEPTUAL);
    png_write_info(encoder_->png, encoder_->info);
  });
}

PngWriter::~PngWriter() = default;

void PngWriter::write_rows(std::span<const std::uint8_t> pixels) {
  const auto row = static_cast<std::size_t>(encoder_->shape.width) * static_cast<std::size_t>(encoder_->shape.channels);
  encoder_->guarded([this, pixels, row] {
    for (std::size_t first = 0; first < pixels.size(); first += row)
      png_write_row(encoder_->png, pixels.data() + first);
  });
}

void PngWriter::finish() {
  encoder_->guarded([this] { png_write_end(encoder_->png, nullptr); });
}

std::vector<std::byte> encode_png(ImageShape shape, std::span<const std::uint8_t> pixels) {
  std::vector<std::byte> encoded;
  PngWriter writer(
      shape, [&](std::span<const std::byte> bytes) { encoded.insert(encoded.end(), bytes.begin(), bytes.end()); });
  writer.write_rows(pixels);
  writer.finish();
  return encoded;
}

void write_png(const std::filesystem::path& path, ImageShape shape, std::span<const std::uint8_t> pixels) {
  const auto encoded = encode_png(shape, pixels);
  AtomicFile file(path);
  file.write(encoded);
  file.commit(Durable::no);
}

}  // namespace plume::data
