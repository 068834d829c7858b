// Reading tiles: GDAL for images and maps, npy.cpp for arrays, one rule for validity and finiteness over both.
#include "data/raster.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <set>

#include "data/gdal.hpp"
#include "data/npy.hpp"
#include "data/text.hpp"
#include "kernels/base/error.hpp"

namespace plume::data {
namespace {

// What the pixels are decides what a nodata value means.
enum class Content { measurements, labels };

// The bands to take: those asked for, checked against the file, or all of them.
std::vector<int> chosen_bands(const std::filesystem::path& path, const std::vector<int>& bands, int available) {
  if (bands.empty()) {
    std::vector<int> all(static_cast<std::size_t>(available));
    std::iota(all.begin(), all.end(), 0);
    return all;
  }
  for (const int band : bands) {
    if (band < 0 || band >= available)
      throw input_error("{} has {} band{}, so there is no band {} to choose", path.string(), available,
                        available == 1 ? "" : "s", band + 1);
  }
  return bands;
}

void check_extent(const std::filesystem::path& path, std::int64_t height, std::int64_t width, std::int64_t bands) {
  const auto limit = std::numeric_limits<int>::max();
  if (height < 1 || width < 1 || bands < 1 || height > limit || width > limit || bands > 65536)
    throw input_error("{} is {}x{} with {} bands, which is no tile", path.string(), height, width, bands);
  if (height * width > max_pixels)
    throw input_error("{} is {}x{}: {} pixels, more than the {} that one tile may have; cut it into smaller ones",
                      path.string(), height, width, height * width, max_pixels);
  if (height * width * bands > max_values)
    throw input_error(
        "{} is {}x{} with {} bands: {} values, more than the {} that one tile may have; choose fewer "
        "bands or cut it into smaller ones",
        path.string(), height, width, bands, height * width * bands, max_values);
}

void clear_invalid(Raster& raster) {
  if (std::find(raster.valid.begin(), raster.valid.end(), std::uint8_t{0}) == raster.valid.end()) raster.valid.clear();
  const auto bands = static_cast<std::size_t>(raster.bands);
  for (std::size_t pixel = 0; pixel < raster.valid.size(); ++pixel) {
    if (raster.valid[pixel] == 0) std::fill_n(raster.pixels.data() + pixel * bands, bands, 0.0F);
  }
}

void check_finite(const std::filesystem::path& path, const std::vector<int>& chosen, const Raster& raster) {
  const auto found =
      std::find_if_not(raster.pixels.begin(), raster.pixels.end(), [](float value) { return std::isfinite(value); });
  if (found == raster.pixels.end()) return;
  const auto place = static_cast<std::size_t>(found - raster.pixels.begin());
  const auto bands = static_cast<std::size_t>(raster.bands);
  const auto width = static_cast<std::size_t>(raster.width);
  throw input_error("{}: band {} is {} at row {}, column {}; mend the tile or mark it as nodata", path.string(),
                    chosen[place % bands] + 1, std::isnan(*found) ? "NaN" : "infinite", place / bands / width,
                    place / bands % width);
}

DType stored_type(DType type) {
  return type == DType::u8 || type == DType::u16 ? type : DType::f32;
}

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

OpenRaster open_raster(const std::filesystem::path& path, const GdalErrors& errors) {
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

// Reads one whole band to every `spacing`-th float of `target`.
void read_band(const std::filesystem::path& path, GDALRasterBandH band, const Raster& raster, float* target,
               int spacing, const GdalErrors& errors) {
  const auto pixel_bytes = static_cast<int>(sizeof(float)) * spacing;
  if (gdal().raster_io(band, GF_Read, 0, 0, raster.width, raster.height, target, raster.width, raster.height,
                       GDT_Float32, pixel_bytes, pixel_bytes * raster.width) != CE_None)
    throw input_error("cannot read {}: {}", path.string(), errors.text());
}

void mark_invalid(Raster& raster, std::size_t pixel) {
  if (raster.valid.empty()) raster.valid.assign(raster.pixels.size() / static_cast<std::size_t>(raster.bands), 1);
  raster.valid[pixel] = 0;
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

void mark_transparent(const std::filesystem::path& path, Raster& raster, GDALRasterBandH band,
                      const GdalErrors& errors) {
  std::vector<float> alpha(raster.pixels.size() / static_cast<std::size_t>(raster.bands));
  read_band(path, band, raster, alpha.data(), 1, errors);
  for (std::size_t pixel = 0; pixel < alpha.size(); ++pixel) {
    if (alpha[pixel] == 0.0F) mark_invalid(raster, pixel);
  }
}

Raster read_gdal(const std::filesystem::path& path, const std::vector<int>& bands, Content content) {
  const GdalErrors errors;
  const auto open = open_raster(path, errors);
  const auto chosen = chosen_bands(path, bands, static_cast<int>(open.measured.size()));
  Raster raster;
  raster.height = gdal().get_raster_y_size(open.dataset.get());
  raster.width = gdal().get_raster_x_size(open.dataset.get());
  raster.bands = static_cast<int>(chosen.size());
  check_extent(path, raster.height, raster.width, raster.bands);
  raster.georeference = georeference_of(open.dataset.get());
  raster.pixels.resize(static_cast<std::size_t>(raster.height) * static_cast<std::size_t>(raster.width) *
                       chosen.size());
  for (std::size_t slot = 0; slot < chosen.size(); ++slot) {
    auto* band = open.measured[static_cast<std::size_t>(chosen[slot])];
    const auto type = stored_type(path, gdal().get_raster_data_type(band));
    if (slot == 0 || size_of(type) > size_of(raster.stored)) raster.stored = type;
    read_band(path, band, raster, raster.pixels.data() + slot, raster.bands, errors);
  }
  if (content == Content::labels) {
    raster.nodata = nodata_of(open.measured[static_cast<std::size_t>(chosen[0])]);
  } else {
    for (std::size_t slot = 0; slot < chosen.size(); ++slot)
      mark_nodata(raster, open.measured[static_cast<std::size_t>(chosen[slot])], slot);
  }
  for (auto* band : open.alpha) mark_transparent(path, raster, band, errors);
  clear_invalid(raster);
  if (content == Content::measurements) check_finite(path, chosen, raster);
  return raster;
}

// Extents of a .npy image and whether its channels come first.
struct NpyLayout {
  std::int64_t height = 0;
  std::int64_t width = 0;
  std::int64_t bands = 1;
  bool channels_first = false;
};

NpyLayout npy_layout(const std::filesystem::path& path, std::vector<std::int64_t> shape) {
  if (shape.size() == 4 && shape[0] == 1) shape.erase(shape.begin());
  if (shape.size() == 2) return {shape[0], shape[1], 1, false};
  if (shape.size() == 3) {
    if (shape[0] <= max_bands && shape[2] > max_bands) return {shape[1], shape[2], shape[0], true};
    return {shape[0], shape[1], shape[2], false};
  }
  throw input_error("{} has {} dimensions; a tile is [height, width], [height, width, bands] or [bands, height, width]",
                    path.string(), shape.size());
}

Raster read_npy_raster(const std::filesystem::path& path, const std::vector<int>& bands, Content content) {
  auto array = read_npy(path);
  const auto layout = npy_layout(path, array.shape);
  check_extent(path, layout.height, layout.width, layout.bands);
  const auto chosen = chosen_bands(path, bands, static_cast<int>(layout.bands));
  Raster raster;
  raster.height = static_cast<int>(layout.height);
  raster.width = static_cast<int>(layout.width);
  raster.bands = static_cast<int>(chosen.size());
  raster.stored = stored_type(array.dtype);
  const auto area = static_cast<std::size_t>(layout.height * layout.width);
  const auto stride = layout.channels_first ? std::size_t{1} : static_cast<std::size_t>(layout.bands);
  if (!layout.channels_first && bands.empty()) {
    raster.pixels = std::move(array.values);  // as they are wanted
  } else {
    raster.pixels.resize(area * chosen.size());
  }
  for (std::size_t slot = 0; slot < chosen.size() && !array.values.empty(); ++slot) {
    const auto start = static_cast<std::size_t>(chosen[slot]) * (layout.channels_first ? area : 1);
    for (std::size_t pixel = 0; pixel < area; ++pixel)
      raster.pixels[pixel * chosen.size() + slot] = array.values[start + pixel * stride];
  }
  if (content == Content::measurements) check_finite(path, chosen, raster);
  return raster;
}

void check_readable(const std::filesystem::path& path) {
  std::error_code failed;
  const auto status = std::filesystem::status(path, failed);
  if (!std::filesystem::exists(status)) throw input_error("cannot read {}: no such file", path.string());
  if (std::filesystem::is_directory(status)) throw input_error("{} is a folder, not a tile", path.string());
  if (!std::filesystem::is_regular_file(status)) throw input_error("{} is not a regular file", path.string());
  if (std::filesystem::file_size(path, failed) == 0) throw input_error("{} is empty (0 bytes)", path.string());
}

Raster read(const std::filesystem::path& path, const std::vector<int>& bands, Content content) {
  check_readable(path);
  return lower_case(path.extension().string()) == ".npy" ? read_npy_raster(path, bands, content)
                                                         : read_gdal(path, bands, content);
}

}  // namespace

bool Georeference::present() const {
  return !projection.empty() || transform != Georeference{}.transform;
}

Raster read_raster(const std::filesystem::path& path, const std::vector<int>& bands) {
  return read(path, bands, Content::measurements);
}

Raster read_mask(const std::filesystem::path& path) {
  return read(path, {}, Content::labels);
}

Georeference read_georeference(const std::filesystem::path& path) {
  check_readable(path);
  if (lower_case(path.extension().string()) == ".npy") return {};
  const GdalErrors errors;
  return georeference_of(open_raster(path, errors).dataset.get());
}

bool is_raster_name(const std::filesystem::path& path) {
  static const std::set<std::string> known{".tif", ".tiff", ".png", ".jpg", ".jpeg",
                                           ".npy", ".img",  ".vrt", ".jp2", ".bmp"};
  return known.contains(lower_case(path.extension().string()));
}

std::vector<std::filesystem::path> list_rasters(const std::filesystem::path& folder) {
  std::error_code failed;
  std::vector<std::filesystem::path> found;
  for (std::filesystem::directory_iterator entry(folder, failed), end; !failed && entry != end;
       entry.increment(failed)) {
    if (is_raster_name(entry->path()) && !entry->path().filename().string().starts_with('.'))
      found.push_back(entry->path());
  }
  if (failed) throw input_error("cannot read the folder {}: {}", folder.string(), failed.message());
  if (found.empty()) throw input_error("{} holds no .tif, .png, .npy or other image", folder.string());
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.native() < b.native(); });
  std::set<std::string> stems;
  for (const auto& path : found) {
    if (!stems.insert(path.stem().string()).second)
      throw input_error("{} holds two files named {} with different extensions; keep one", folder.string(),
                        path.stem().string());
  }
  return found;
}

}  // namespace plume::data
