// GDAL is given rows of whole tiles, so that none of them is compressed twice. A cloud-optimised file has its smaller
// copies in front of itself, so it is made of one that is whole.
#include "data/formats/geotiff_write.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "data/formats/gdal.hpp"
#include "kernels/base/atomic_file.hpp"
#include "kernels/base/error.hpp"

namespace plume::data {
namespace {

constexpr int edge = 256;

// Lists of options end with a null. Probabilities are noise to DEFLATE: of a full disk's, level 1 takes half the time
// of the usual 6 for 2 % more bytes.

// Bands are measurements: without the first two GDAL takes three of them for colours and a fourth for alpha.
std::array<const char*, 10> tiled_options(GDALDataType type) {
  const bool real = type == GDT_Float32;
  return {"PHOTOMETRIC=MINISBLACK",
          "ALPHA=NO",
          "BIGTIFF=IF_SAFER",
          "COMPRESS=DEFLATE",
          real ? "ZLEVEL=1" : "ZLEVEL=6",
          real ? "PREDICTOR=3" : "PREDICTOR=2",
          "TILED=YES",
          "BLOCKXSIZE=256",
          "BLOCKYSIZE=256",
          nullptr};
}

std::array<const char*, 6> cloud_options(GDALDataType type) {
  const bool real = type == GDT_Float32;
  return {"BIGTIFF=IF_SAFER",
          "COMPRESS=DEFLATE",
          real ? "LEVEL=1" : "LEVEL=6",
          "PREDICTOR=YES",
          real ? "OVERVIEW_RESAMPLING=AVERAGE" : "OVERVIEW_RESAMPLING=MODE",
          nullptr};
}

}  // namespace

struct GeotiffWriter::Open {
  AtomicFile file;
  std::optional<AtomicFile> tiled;  // what a cloud-optimised file is made of
  ImageShape shape;
  GDALDataType type;
  GdalDataset dataset{};
  std::vector<std::byte> pending{};  // rows that do not fill a row of tiles
  int written = 0;

  [[nodiscard]] std::size_t row_bytes() const {
    return static_cast<std::size_t>(shape.width) * static_cast<std::size_t>(pixel_bytes());
  }
  [[nodiscard]] int pixel_bytes() const { return shape.channels * gdal().get_data_type_size_bytes(type); }
  [[nodiscard]] Error cannot(const GdalErrors& errors) const {
    return environment_error("cannot make {}: {}", file.path().string(), errors.text());
  }

  void place(const Georeference& georeference, const GdalErrors& errors) const {
    if (!georeference.present()) return;
    auto transform = georeference.transform;
    const std::string& projection = georeference.projection;
    if (gdal().set_geo_transform(dataset.get(), transform.data()) != CE_None ||
        (!projection.empty() && gdal().set_projection(dataset.get(), projection.c_str()) != CE_None))
      throw cannot(errors);
  }

  // Interleaved pixels to the bands of the dataset.
  void write(const std::byte* pixels, int rows) {
    const GdalErrors errors;
    const int sample_bytes = gdal().get_data_type_size_bytes(type);
    // RasterIO takes a mutable buffer for both directions; writing does not change it.
    if (gdal().dataset_raster_io(dataset.get(), GF_Write, 0, written, shape.width, rows, const_cast<std::byte*>(pixels),
                                 shape.width, rows, type, shape.channels, nullptr, pixel_bytes(),
                                 pixel_bytes() * shape.width, sample_bytes) != CE_None)
      throw cannot(errors);
    written += rows;
  }

  // Whether GDAL is content to the end. Blocks are compressed and written, and the directory too, only when the
  // dataset is flushed and closed, and before GDAL 3.7 neither call returns what went wrong.
  void close(const GdalErrors& errors) {
    gdal().flush_cache(dataset.get());
    if (tiled && !errors.any()) copy(errors);
    dataset.reset();
    if (errors.any()) throw cannot(errors);
    tiled.reset();
  }

  void copy(const GdalErrors& errors) const {
    const auto options = cloud_options(type);
    const GdalDataset made(gdal().create_copy(gdal().get_driver_by_name("COG"), file.temporary().c_str(), dataset.get(),
                                              FALSE, options.data(), nullptr, nullptr));
    if (!made) throw cannot(errors);
  }
};

GeotiffWriter::GeotiffWriter(const std::filesystem::path& path, ImageShape shape, DType dtype,
                             const Georeference& georeference, GeotiffLayout layout)
    : open_(new Open{AtomicFile(path), std::nullopt, shape, dtype == DType::u8 ? GDT_Byte : GDT_Float32}) {
  const GdalErrors errors;
  if (layout == GeotiffLayout::cloud_optimized) open_->tiled.emplace(path.string() + ".tiled");
  const AtomicFile& tiled = open_->tiled ? *open_->tiled : open_->file;
  const auto options = tiled_options(open_->type);
  open_->dataset.reset(gdal().create(gdal().get_driver_by_name("GTiff"), tiled.temporary().c_str(), shape.width,
                                     shape.height, shape.channels, open_->type, options.data()));
  if (!open_->dataset) throw open_->cannot(errors);
  open_->place(georeference, errors);
}

// Of a file that was not finished nothing is said.
GeotiffWriter::~GeotiffWriter() {
  if (!open_->dataset) return;
  const GdalErrors errors;
  open_->dataset.reset();
}

void GeotiffWriter::write_rows(std::span<const float> pixels) {
  assert(open_->type == GDT_Float32);
  add(std::as_bytes(pixels));
}

void GeotiffWriter::write_rows(std::span<const std::uint8_t> pixels) {
  assert(open_->type == GDT_Byte);
  add(std::as_bytes(pixels));
}

void GeotiffWriter::add(std::span<const std::byte> pixels) {
  const std::size_t row = open_->row_bytes();
  const std::size_t tile_row = edge * row;
  std::vector<std::byte>& pending = open_->pending;
  while (!pixels.empty()) {
    if (pending.empty() && pixels.size() >= tile_row) {
      open_->write(pixels.data(), edge);
      pixels = pixels.subspan(tile_row);
      continue;
    }
    const auto taken = pixels.first(std::min(pixels.size(), tile_row - pending.size()));
    pending.insert(pending.end(), taken.begin(), taken.end());
    pixels = pixels.subspan(taken.size());
    if (pending.size() < tile_row) continue;
    open_->write(pending.data(), edge);
    pending.clear();
  }
}

void GeotiffWriter::finish() {
  if (!open_->pending.empty())
    open_->write(open_->pending.data(), static_cast<int>(open_->pending.size() / open_->row_bytes()));
  const GdalErrors errors;
  open_->close(errors);
  open_->file.commit(Durable::no);
}

void write_geotiff(const std::filesystem::path& path, ImageShape shape, std::span<const float> pixels,
                   const Georeference& georeference) {
  GeotiffWriter writer(path, shape, DType::f32, georeference);
  writer.write_rows(pixels);
  writer.finish();
}

void write_geotiff(const std::filesystem::path& path, ImageShape shape, std::span<const std::uint8_t> pixels,
                   const Georeference& georeference) {
  GeotiffWriter writer(path, shape, DType::u8, georeference);
  writer.write_rows(pixels);
  writer.finish();
}

}  // namespace plume::data
