// Reading tiles: GDAL for images and maps, npy.cpp for arrays, one rule for validity and finiteness over both.
#include "data/formats/raster_read.hpp"

#include <cmath>
#include <set>
#include <string>
#include <utility>

#include "data/formats/gdal.hpp"
#include "data/images/image_names.hpp"
#include "data/images/npy.hpp"
#include "data/images/raster_rules.hpp"
#include "data/images/text.hpp"
#include "kernels/base/error.hpp"

namespace plume::data {
namespace {

// What the pixels are decides what a nodata value means.
enum class Content { measurements, labels };

const std::set<std::string> raster_extensions{".tif", ".tiff", ".png", ".jpg", ".jpeg",
                                              ".npy", ".img",  ".vrt", ".jp2", ".bmp"};

DType stored_type(const std::filesystem::path& path, GDALDataType type) {
  if (gdal().data_type_is_complex(type) != 0)
    throw input_error("{} holds complex numbers, which no band may", path.string());
  if (type == GDT_Byte) return DType::u8;
  return type == GDT_UInt16 ? DType::u16 : DType::f32;
}

// One file opened by GDAL, with its bands told apart into measurements and validity.
struct OpenRaster {
  GdalDataset dataset;
  std::vector<GDALRasterBandH> measured;
  std::vector<GDALRasterBandH> alpha;
};

OpenRaster open_dataset(const std::filesystem::path& path) {
  const GdalErrors errors;
  OpenRaster open;
  open.dataset.reset(
      gdal().open(path.c_str(), GDAL_OF_RASTER | GDAL_OF_READONLY | GDAL_OF_VERBOSE_ERROR, nullptr, nullptr, nullptr));
  if (!open.dataset) throw input_error("cannot read {} as an image: {}", path.string(), errors.text());
  for (int i = 1; i <= gdal().get_raster_count(open.dataset.get()); ++i) {
    auto* band = gdal().get_raster_band(open.dataset.get(), i);
    (gdal().get_raster_color_interpretation(band) == GCI_AlphaBand ? open.alpha : open.measured).push_back(band);
  }
  if (open.measured.empty()) throw input_error("{} holds no band of measurements", path.string());
  return open;
}

Georeference georeference_of(GDALDatasetH dataset) {
  Georeference georeference;
  georeference.projection = gdal().get_projection_ref(dataset);
  std::array<double, 6> transform{};
  if (gdal().get_geo_transform(dataset, transform.data()) == CE_None) georeference.transform = transform;
  return georeference;
}

std::optional<float> nodata_of(GDALRasterBandH band) {
  int has_nodata = 0;
  const double nodata = gdal().get_raster_no_data_value(band, &has_nodata);
  if (has_nodata == 0) return std::nullopt;
  return static_cast<float>(nodata);
}

// A pixel is fill where any chosen band holds that band's nodata value (which may be NaN).
void mark_nodata(Raster& raster, GDALRasterBandH band, std::size_t slot) {
  const auto nodata = nodata_of(band);
  if (!nodata) return;
  const auto bands = static_cast<std::size_t>(raster.bands);
  for (std::size_t i = slot; i < raster.pixels.size(); i += bands) {
    const float value = raster.pixels[i];
    if (value == *nodata || (std::isnan(value) && std::isnan(*nodata))) mark_invalid(raster, i / bands);
  }
}

// The chosen bands of an open file.
class GdalImage final : public ImageRows {
 public:
  // chosen: of the measured bands.
  GdalImage(const std::filesystem::path& path, const std::vector<int>& bands, Content content, OpenRaster open,
            const std::vector<int>& chosen)
      : ImageRows({gdal().get_raster_y_size(open.dataset.get()), gdal().get_raster_x_size(open.dataset.get()),
                   static_cast<int>(chosen.size())},
                  georeference_of(open.dataset.get())),
        path_(path),
        bands_(bands),
        content_(content),
        open_(std::move(open)) {
    for (const int band : chosen) chosen_.push_back(open_.measured[static_cast<std::size_t>(band)]);
  }

  [[nodiscard]] Raster read(int first, int last) override {
    const GdalErrors errors;
    Raster raster;
    raster.height = last - first;
    raster.width = shape().width;
    raster.bands = shape().channels;
    require_extent(path_.string(), raster.height, raster.width, raster.bands);
    raster.pixels.resize(static_cast<std::size_t>(raster.height) * static_cast<std::size_t>(raster.width) *
                         chosen_.size());
    for (std::size_t slot = 0; slot < chosen_.size(); ++slot) {
      const auto type = stored_type(path_, gdal().get_raster_data_type(chosen_[slot]));
      if (slot == 0 || size_of(type) > size_of(raster.stored)) raster.stored = type;
      read_band(chosen_[slot], first, raster, raster.pixels.data() + slot, raster.bands, errors);
    }
    if (content_ == Content::labels) {
      raster.nodata = nodata_of(chosen_[0]);
    } else {
      for (std::size_t slot = 0; slot < chosen_.size(); ++slot) mark_nodata(raster, chosen_[slot], slot);
    }
    for (auto* band : open_.alpha) mark_transparent(raster, first, band, errors);
    clear_invalid(raster);
    if (content_ == Content::measurements) require_finite(path_.string(), bands_, raster, first);
    return raster;
  }

 private:
  // Rows of a band to every `spacing`-th float of `target`.
  void read_band(GDALRasterBandH band, int first, const Raster& raster, float* target, int spacing,
                 const GdalErrors& errors) const {
    const auto pixel_bytes = static_cast<int>(sizeof(float)) * spacing;
    if (gdal().raster_io(band, GF_Read, 0, first, raster.width, raster.height, target, raster.width, raster.height,
                         GDT_Float32, pixel_bytes, pixel_bytes * raster.width) != CE_None)
      throw input_error("cannot read {}: {}", path_.string(), errors.text());
  }

  void mark_transparent(Raster& raster, int first, GDALRasterBandH band, const GdalErrors& errors) const {
    std::vector<float> alpha(raster.pixels.size() / static_cast<std::size_t>(raster.bands));
    read_band(band, first, raster, alpha.data(), 1, errors);
    for (std::size_t pixel = 0; pixel < alpha.size(); ++pixel) {
      if (alpha[pixel] == 0.0F) mark_invalid(raster, pixel);
    }
  }

  std::filesystem::path path_;
  std::vector<int> bands_;  // as they were asked for
  Content content_;
  OpenRaster open_;
  std::vector<GDALRasterBandH> chosen_;
};

void check_readable(const std::filesystem::path& path) {
  std::error_code failed;
  const auto status = std::filesystem::status(path, failed);
  if (!std::filesystem::exists(status)) throw input_error("cannot read {}: no such file", path.string());
  if (std::filesystem::is_directory(status)) throw input_error("{} is a folder, not a tile", path.string());
  if (!std::filesystem::is_regular_file(status)) throw input_error("{} is not a regular file", path.string());
  if (std::filesystem::file_size(path, failed) == 0) throw input_error("{} is empty (0 bytes)", path.string());
}

std::unique_ptr<ImageRows> open(const std::filesystem::path& path, const std::vector<int>& bands, Content content) {
  check_readable(path);
  if (lower_case(path.extension().string()) != ".npy") {
    const GdalErrors errors;
    OpenRaster dataset = open_dataset(path);
    const auto chosen = chosen_bands(path.string(), bands, static_cast<int>(dataset.measured.size()));
    return std::make_unique<GdalImage>(path, bands, content, std::move(dataset), chosen);
  }
  Raster raster = raster_of(read_npy(path), path.string(), bands);
  if (content == Content::measurements) require_finite(path.string(), bands, raster);
  return std::make_unique<WholeImage>(std::move(raster));
}

Raster read(const std::filesystem::path& path, const std::vector<int>& bands, Content content) {
  const auto image = open(path, bands, content);
  Raster raster = image->read(0, image->shape().height);
  raster.georeference = image->georeference();
  return raster;
}

}  // namespace

Raster read_raster(const std::filesystem::path& path, const std::vector<int>& bands) {
  return read(path, bands, Content::measurements);
}

std::unique_ptr<ImageRows> open_raster(const std::filesystem::path& path, const std::vector<int>& bands) {
  return open(path, bands, Content::measurements);
}

Raster read_mask(const std::filesystem::path& path) {
  return read(path, {}, Content::labels);
}

Georeference read_georeference(const std::filesystem::path& path) {
  check_readable(path);
  if (lower_case(path.extension().string()) == ".npy") return {};
  return georeference_of(open_dataset(path).dataset.get());
}

bool is_raster_name(const std::filesystem::path& path) {
  return raster_extensions.contains(lower_case(path.extension().string()));
}

std::vector<std::filesystem::path> list_rasters(const std::filesystem::path& folder) {
  return list_images(folder, raster_extensions);
}

}  // namespace plume::data
