// Images are made in memory by GDAL, then written through AtomicFile: a full disk leaves nothing behind.
#include "data/raster_write.hpp"

#include <cpl_conv.h>
#include <cpl_string.h>
#include <cpl_vsi.h>

#include <atomic>
#include <memory>
#include <string>
#include <utility>

#include "data/gdal.hpp"
#include "kernels/base/atomic_file.hpp"
#include "kernels/base/error.hpp"

namespace plume::data {
namespace {

void write_whole(const std::filesystem::path& path, std::span<const std::byte> bytes) {
  AtomicFile file(path);
  file.write(bytes);
  file.commit();
}

// A name in GDAL's memory file system, gone with this object.
class MemoryFile {
 public:
  MemoryFile() : name_(fmt::format("/vsimem/plume-{}.tif", counter().fetch_add(1))) {}
  ~MemoryFile() { VSIUnlink(name_.c_str()); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;

  [[nodiscard]] const char* name() const { return name_.c_str(); }

  [[nodiscard]] std::span<const std::byte> bytes() const {
    vsi_l_offset size = 0;
    const auto* data = VSIGetMemFileBuffer(name_.c_str(), &size, FALSE);
    return std::as_bytes(std::span(data, static_cast<std::size_t>(size)));
  }

 private:
  static std::atomic<unsigned>& counter() {
    static std::atomic<unsigned> made{0};
    return made;
  }
  std::string name_;
};

// Interleaved pixels to the bands of a dataset.
bool write_pixels(GDALDatasetH dataset, ImageShape shape, GDALDataType type, const void* pixels) {
  const int bytes = GDALGetDataTypeSizeBytes(type);
  // RasterIO takes a mutable buffer for both directions; writing does not change it.
  return GDALDatasetRasterIO(dataset, GF_Write, 0, 0, shape.width, shape.height, const_cast<void*>(pixels), shape.width,
                             shape.height, type, shape.channels, nullptr, bytes * shape.channels,
                             bytes * shape.channels * shape.width, bytes) == CE_None;
}

struct CslDestroy {
  void operator()(char** list) const { CSLDestroy(list); }
};
using CslList = std::unique_ptr<char*, CslDestroy>;

CslList geotiff_options(GDALDataType type) {
  CslList options;
  // Bands are measurements: without the last two GDAL takes three of them for colours and a fourth for alpha.
  for (const char* option : {"BIGTIFF=IF_SAFER", "COMPRESS=DEFLATE", "TILED=YES", "BLOCKXSIZE=256", "BLOCKYSIZE=256",
                             "PHOTOMETRIC=MINISBLACK", "ALPHA=NO"})
    options.reset(CSLAddString(options.release(), option));
  options.reset(CSLAddString(options.release(), type == GDT_Float32 ? "PREDICTOR=3" : "PREDICTOR=2"));
  return options;
}

// Closes it; returns whether GDAL was content to the end. Blocks are compressed and written, and the directory too,
// only when the dataset is flushed and closed, and before GDAL 3.7 neither call returns what went wrong.
bool close(GdalDataset dataset, const GdalErrors& errors) {
  GDALFlushCache(dataset.get());
  dataset.reset();
  return !errors.any();
}

// Fills the in-memory file; returns whether GDAL was content with all of it.
bool encode_geotiff(const char* name, ImageShape shape, GDALDataType type, const void* pixels,
                    const Georeference& georeference, const GdalErrors& errors) {
  const auto options = geotiff_options(type);
  GdalDataset dataset(
      GDALCreate(GDALGetDriverByName("GTiff"), name, shape.width, shape.height, shape.channels, type, options.get()));
  if (!dataset) return false;
  if (georeference.present()) {
    auto transform = georeference.transform;
    if (GDALSetGeoTransform(dataset.get(), transform.data()) != CE_None) return false;
    if (!georeference.projection.empty() &&
        GDALSetProjection(dataset.get(), georeference.projection.c_str()) != CE_None)
      return false;
  }
  return write_pixels(dataset.get(), shape, type, pixels) && close(std::move(dataset), errors);
}

void write_geotiff(const std::filesystem::path& path, ImageShape shape, GDALDataType type, const void* pixels,
                   const Georeference& georeference) {
  ensure_gdal();
  const GdalErrors errors;
  const MemoryFile memory;
  if (!encode_geotiff(memory.name(), shape, type, pixels, georeference, errors))
    throw environment_error("cannot make {}: {}", path.string(), errors.text());
  write_whole(path, memory.bytes());
}

// PNG can only be copied from a whole image, so one is laid over the pixels first.
bool encode_png(const char* name, ImageShape shape, std::span<const std::uint8_t> pixels, const GdalErrors& errors) {
  const GdalDataset image(
      GDALCreate(GDALGetDriverByName("MEM"), "", shape.width, shape.height, shape.channels, GDT_Byte, nullptr));
  if (!image) return false;
  if (shape.channels == 4) GDALSetRasterColorInterpretation(GDALGetRasterBand(image.get(), 4), GCI_AlphaBand);
  if (!write_pixels(image.get(), shape, GDT_Byte, pixels.data())) return false;
  GdalDataset copy(GDALCreateCopy(GDALGetDriverByName("PNG"), name, image.get(), FALSE, nullptr, nullptr, nullptr));
  return copy && close(std::move(copy), errors);
}

}  // namespace

void write_geotiff(const std::filesystem::path& path, ImageShape shape, std::span<const float> pixels,
                   const Georeference& georeference) {
  write_geotiff(path, shape, GDT_Float32, pixels.data(), georeference);
}

void write_geotiff(const std::filesystem::path& path, ImageShape shape, std::span<const std::uint8_t> pixels,
                   const Georeference& georeference) {
  write_geotiff(path, shape, GDT_Byte, pixels.data(), georeference);
}

void write_png(const std::filesystem::path& path, ImageShape shape, std::span<const std::uint8_t> pixels) {
  ensure_gdal();
  const GdalErrors errors;
  const MemoryFile memory;
  if (!encode_png(memory.name(), shape, pixels, errors))
    throw environment_error("cannot make {}: {}", path.string(), errors.text());
  write_whole(path, memory.bytes());
}

}  // namespace plume::data
