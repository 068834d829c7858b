// A writer for each form.
#include "unet/inference/results.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <stdexcept>

#include "data/images/npy.hpp"
#include "data/images/png.hpp"
#include "data/images/tiff.hpp"
#include "kernels/base/atomic_file.hpp"
#include "kernels/base/error.hpp"
#include "unet/inference/geojson.hpp"
#include "unet/inference/kml.hpp"
#include "unet/inference/polygons.hpp"

namespace plume::unet {
namespace {

class MaskWriter final : public ResultWriter {
 public:
  MaskWriter(const ResultImage& image, data::ByteSink sink)
      : png_({image.shape.height, image.shape.width, 1}, std::move(sink)) {}
  void add(const Strip& strip) override { png_.write_rows(mask_of(strip.found)); }
  void finish() override { png_.finish(); }

 private:
  data::PngWriter png_;
};

// A row is drawn when the next one has come, since both show where a class ends.
class OverlayWriter final : public ResultWriter {
 public:
  OverlayWriter(const ResultImage& image, const ResultOptions& options, data::ByteSink sink)
      : image_(image),
        bands_(options.bands.begin(), options.bands.end()),
        stretch_(options.stretch),
        png_({image.shape.height, image.shape.width, 3}, std::move(sink)) {}

  void add(const Strip& strip) override {
    if (!stretch_) stretch_ = stretch_of(strip.rows, bands_);
    const auto width = static_cast<std::size_t>(image_.shape.width);
    const auto bands = static_cast<std::size_t>(image_.shape.channels);
    const Prediction& found = strip.found;
    for (std::size_t first = 0; first < found.labels.size(); first += width) {
      const auto labels = std::span(found.labels).subspan(first, width);
      draw(labels);
      before_ = std::move(row_.labels);
      row_ = {{strip.rows.pixels.begin() + static_cast<std::ptrdiff_t>(first * bands),
               strip.rows.pixels.begin() + static_cast<std::ptrdiff_t>((first + width) * bands)},
              {labels.begin(), labels.end()},
              {found.confidence.begin() + static_cast<std::ptrdiff_t>(first),
               found.confidence.begin() + static_cast<std::ptrdiff_t>(first + width)}};
    }
  }

  void finish() override {
    draw({});
    png_.finish();
  }

  [[nodiscard]] bool draws_pixels() const override { return true; }

 private:
  struct Row {
    std::vector<float> pixels;
    std::vector<std::uint8_t> labels;
    std::vector<float> confidence;
  };

  void draw(std::span<const std::uint8_t> below) {
    if (row_.labels.empty()) return;
    picture_.resize(row_.labels.size() * 3);
    paint_overlay({row_.pixels.data(), before_, row_.labels, below, row_.confidence}, image_.shape.channels, bands_,
                  *stretch_, picture_.data());
    png_.write_rows(picture_);
  }

  ResultImage image_;
  std::vector<int> bands_;
  std::optional<Stretch> stretch_;
  data::PngWriter png_;
  Row row_;  // that is not drawn yet
  std::vector<std::uint8_t> before_;
  std::vector<std::uint8_t> picture_;
};

class NpyWriter final : public ResultWriter {
 public:
  NpyWriter(const ResultImage& image, data::ByteSink sink) : sink_(std::move(sink)) {
    const std::array<std::int64_t, 3> shape{image.shape.height, image.shape.width, image.classes};
    const std::string start = data::npy_start(DType::f32, shape);
    sink_(std::as_bytes(std::span(start)));
  }
  void add(const Strip& strip) override { sink_(std::as_bytes(std::span(strip.found.probability))); }
  void finish() override {}

 private:
  data::ByteSink sink_;
};

// libtiff's is made at once, in the end.
class TifWriter final : public ResultWriter {
 public:
  TifWriter(const ResultImage& image, data::ByteSink sink) : image_(image), sink_(std::move(sink)) {}
  void add(const Strip& strip) override {
    probability_.insert(probability_.end(), strip.found.probability.begin(), strip.found.probability.end());
  }
  void finish() override {
    sink_(data::encode_tiff({image_.shape.height, image_.shape.width, image_.classes}, probability_,
                            image_.georeference));
  }

 private:
  ResultImage image_;
  data::ByteSink sink_;
  std::vector<float> probability_;
};

class PolygonWriter final : public ResultWriter {
 public:
  PolygonWriter(ResultKind kind, const ResultImage& image, const ResultOptions& options, data::ByteSink sink)
      : kind_(kind),
        to_lon_lat_(options.to_lon_lat ? options.to_lon_lat : to_lon_lat(image.georeference)),
        tracer_(options.tolerance),
        sink_(std::move(sink)) {
    if (kind == ResultKind::kml && !to_lon_lat_)
      throw input_error("{}: KML has longitudes and latitudes, but nothing says where the image lies; ask for geojson",
                        image.name);
  }

  void add(const Strip& strip) override {
    const auto width = static_cast<std::size_t>(strip.found.width);
    for (std::size_t first = 0; first < strip.found.labels.size(); first += width)
      tracer_.add_row(std::span(strip.found.labels).subspan(first, width),
                      std::span(strip.found.confidence).subspan(first, width));
  }

  void finish() override {
    const auto polygons = tracer_.finish();
    const std::string text =
        kind_ == ResultKind::kml ? to_kml(polygons, to_lon_lat_) : to_geojson(polygons, to_lon_lat_);
    sink_(std::as_bytes(std::span(text)));
  }

 private:
  ResultKind kind_;
  ToLonLat to_lon_lat_;
  PolygonTracer tracer_;
  data::ByteSink sink_;
};

class FileWriter final : public ResultWriter {
 public:
  FileWriter(const std::filesystem::path& path, ResultKind kind, const ResultImage& image, const ResultOptions& options)
      : file_(path),
        writer_(make_writer(kind, image, options, [this](std::span<const std::byte> bytes) { file_.write(bytes); })) {}
  void add(const Strip& strip) override { writer_->add(strip); }
  void finish() override {
    writer_->finish();
    file_.commit(Durable::no);
  }
  [[nodiscard]] bool draws_pixels() const override { return writer_->draws_pixels(); }

 private:
  AtomicFile file_;
  std::unique_ptr<ResultWriter> writer_;
};

}  // namespace

const char* ending_of(ResultKind kind) {
  switch (kind) {
    case ResultKind::mask: return "_mask.png";
    case ResultKind::overlay: return "_overlay.png";
    case ResultKind::npy: return "_probability.npy";
    case ResultKind::tif: return "_probability.tif";
    case ResultKind::geojson: return "_polygons.geojson";
    case ResultKind::kml: return "_polygons.kml";
  }
  throw std::logic_error("a kind of result without an ending");
}

std::vector<std::uint8_t> mask_of(const Prediction& prediction) {
  std::vector<std::uint8_t> mask = prediction.labels;
  if (prediction.classes == 1) {
    std::for_each(mask.begin(), mask.end(), [](std::uint8_t& value) { value = value != 0 ? 255 : 0; });
  }
  return mask;
}

std::unique_ptr<ResultWriter> make_writer(ResultKind kind, const ResultImage& image, const ResultOptions& options,
                                          data::ByteSink sink) {
  switch (kind) {
    case ResultKind::mask: return std::make_unique<MaskWriter>(image, std::move(sink));
    case ResultKind::overlay: return std::make_unique<OverlayWriter>(image, options, std::move(sink));
    case ResultKind::npy: return std::make_unique<NpyWriter>(image, std::move(sink));
    case ResultKind::tif: return std::make_unique<TifWriter>(image, std::move(sink));
    case ResultKind::geojson:
    case ResultKind::kml: return std::make_unique<PolygonWriter>(kind, image, options, std::move(sink));
  }
  throw std::logic_error("a kind of result without a form");
}

std::unique_ptr<ResultWriter> make_file_writer(const std::filesystem::path& path, ResultKind kind,
                                               const ResultImage& image, const ResultOptions& options) {
  return std::make_unique<FileWriter>(path, kind, image, options);
}

std::vector<std::byte> encode(ResultKind kind, const Strip& whole, const ResultOptions& options) {
  std::vector<std::byte> bytes;
  const auto append = [&](std::span<const std::byte> more) { bytes.insert(bytes.end(), more.begin(), more.end()); };
  const data::Raster& rows = whole.rows;
  const auto writer = make_writer(kind, {{rows.height, rows.width, rows.bands}, whole.found.classes, rows.georeference},
                                  options, append);
  writer->add(whole);
  writer->finish();
  return bytes;
}

}  // namespace plume::unet
