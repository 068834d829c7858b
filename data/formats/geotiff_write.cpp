// GeoTIFFs are made in memory by GDAL, then written through AtomicFile: a full disk leaves nothing behind.
#include "data/formats/geotiff_write.hpp"

#include <array>
#include <atomic>
#include <string>
#include <utility>

#include "data/formats/gdal.hpp"
#include "kernels/base/atomic_file.hpp"
#include "kernels/base/error.hpp"

namespace plume::data {
namespace {

// A name in GDAL's memory file system, gone with this object.
class MemoryFile {
 public:
  MemoryFile() : name_(fmt::format("/vsimem/plume-{}.tif", counter().fetch_add(1))) {}
  ~MemoryFile() { gdal().unlink(name_.c_str()); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;

  [[nodiscard]] const char* name() const { return name_.c_str(); }

  [[nodiscard]] std::span<const std::byte> bytes() const {
    vsi_l_offset size = 0;
    const auto* data = gdal().get_mem_file_buffer(name_.c_str(), &size, FALSE);
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
  const int bytes = gdal().get_data_type_size_bytes(type);
  // RasterIO takes a mutable buffer for both directions; writing does not change it.
  return gdal().dataset_raster_io(dataset, GF_Write, 0, 0, shape.width, shape.height, const_cast<void*>(pixels),
                                  shape.width, shape.height, type, shape.channels, nullptr, bytes * shape.channels,
                                  bytes * shape.channels * shape.width, bytes) == CE_None;
}

// With the null that ends GDAL's lists. Bands are measurements: without the first two GDAL takes three of them for
// colours and a fourth for alpha.
std::array<const char*, 9> geotiff_options(GDALDataType type) {
  const char* predictor = type == GDT_Float32 ? "PREDICTOR=3" : "PREDICTOR=2";
  return {"PHOTOMETRIC=MINISBLACK", "ALPHA=NO",       "BIGTIFF=IF_SAFER",
          "COMPRESS=DEFLATE",       predictor,        "TILED=YES",
          "BLOCKXSIZE=256",         "BLOCKYSIZE=256", nullptr};
}

// Closes it; returns whether GDAL was content to the end. Blocks are compressed and written, and the directory too,
// only when the dataset is flushed and closed, and before GDAL 3.7 neither call returns what went wrong.
bool close(GdalDataset dataset, const GdalErrors& errors) {
  gdal().flush_cache(dataset.get());
  dataset.reset();
  return !errors.any();
}

// Fills the in-memory file; returns whether GDAL was content with all of it.
bool encode_geotiff(const char* name, ImageShape shape, GDALDataType type, const void* pixels,
                    const Georeference& georeference, const GdalErrors& errors) {
  const auto options = geotiff_options(type);
  GdalDataset dataset(gdal().create(gdal().get_driver_by_name("GTiff"), name, shape.width, shape.height, shape.channels,
                                    type, options.data()));
  if (!dataset) return false;
  if (georeference.present()) {
    auto transform = georeference.transform;
    if (gdal().set_geo_transform(dataset.get(), transform.data()) != CE_None) return false;
    if (!georeference.projection.empty() &&
        gdal().set_projection(dataset.get(), georeference.projection.c_str()) != CE_None)
      return false;
  }
  return write_pixels(dataset.get(), shape, type, pixels) && close(std::move(dataset), errors);
}

void write_geotiff(const std::filesystem::path& path, ImageShape shape, GDALDataType type, const void* pixels,
                   const Georeference& georeference) {
  const GdalErrors errors;
  const MemoryFile memory;
  if (!encode_geotiff(memory.name(), shape, type, pixels, georeference, errors))
    throw environment_error("cannot make {}: {}", path.string(), errors.text());
  AtomicFile file(path);
  file.write(memory.bytes());
  file.commit(Durable::no);
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

}  // namespace plume::data
