// Reading tiles: GDAL for images and maps, npy.cpp for arrays, one rule for validity and finiteness over both.
#include "data/raster.hpp"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <limits>
#include <numeric>
#include <set>

#include "data/gdal.hpp"
#include "data/npy.hpp"
#include "kernels/base/error.hpp"

namespace plume::data {
namespace {

// Larger than any tile; a damaged header that claims more is refused before memory is asked for.
constexpr std::int64_t kMaxPixels = std::int64_t{1} << 28;

std::string lower_extension(const std::filesystem::path& path) {
  auto extension = path.extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return extension;
}

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
  if (height < 1 || width < 1 || bands < 1 || height > limit || width > limit || bands > 65536 ||
      height * width > kMaxPixels || height * width * bands > 4 * kMaxPixels)
    throw input_error("{} is {}x{} with {} bands, which is no tile; cut it into smaller ones", path.string(), height,
                      width, bands);
}

// Zeroes what is not valid, and refuses what is not finite.
void check_pixels(const std::filesystem::path& path, const std::vector<int>& chosen, Raster& raster) {
  const auto bands = static_cast<std::size_t>(raster.bands);
  const auto width = static_cast<std::size_t>(raster.width);
  for (std::size_t pixel = 0; pixel < raster.pixels.size() / bands; ++pixel) {
    auto* values = raster.pixels.data() + pixel * bands;
    if (!raster.valid.empty() && raster.valid[pixel] == 0) {
      std::fill_n(values, bands, 0.0F);
      continue;
    }
    for (std::size_t band = 0; band < bands; ++band) {
      if (std::isfinite(values[band])) continue;
      throw input_error("{}: band {} is {} at row {}, column {}; mend the tile or mark it as nodata", path.string(),
                        chosen[band] + 1, std::isnan(values[band]) ? "NaN" : "infinite", pixel / width, pixel % width);
    }
  }
  if (std::find(raster.valid.begin(), raster.valid.end(), std::uint8_t{0}) == raster.valid.end()) raster.valid.clear();
}

DType stored_type(DType type) {
  return type == DType::u8 || type == DType::u16 ? type : DType::f32;
}

DType stored_type(const std::filesystem::path& path, GDALDataType type) {
  if (GDALDataTypeIsComplex(type) != 0) throw input_error("{} holds complex numbers, which no band may", path.string());
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
      GDALOpenEx(path.c_str(), GDAL_OF_RASTER | GDAL_OF_READONLY | GDAL_OF_VERBOSE_ERROR, nullptr, nullptr, nullptr));
  if (!open.dataset) throw input_error("cannot read {} as an image: {}", path.string(), errors.text());
  for (int i = 1; i <= GDALGetRasterCount(open.dataset.get()); ++i) {
    auto* band = GDALGetRasterBand(open.dataset.get(), i);
    (GDALGetRasterColorInterpretation(band) == GCI_AlphaBand ? open.alpha : open.measured).push_back(band);
  }
  if (open.measured.empty()) throw input_error("{} holds no band of measurements", path.string());
  return open;
}

Georeference georeference_of(GDALDatasetH dataset) {
  Georeference georeference;
  georeference.projection = GDALGetProjectionRef(dataset);
  std::array<double, 6> transform{};
  if (GDALGetGeoTransform(dataset, transform.data()) == CE_None) georeference.transform = transform;
  return georeference;
}

// Reads one whole band to every `spacing`-th float of `target`.
void read_band(const std::filesystem::path& path, GDALRasterBandH band, const Raster& raster, float* target,
               int spacing, const GdalErrors& errors) {
  const auto pixel_bytes = static_cast<int>(sizeof(float)) * spacing;
  if (GDALRasterIO(band, GF_Read, 0, 0, raster.width, raster.height, target, raster.width, raster.height, GDT_Float32,
                   pixel_bytes, pixel_bytes * raster.width) != CE_None)
    throw input_error("cannot read {}: {}", path.string(), errors.text());
}

void mark_invalid(Raster& raster, std::size_t pixel) {
  if (raster.valid.empty()) raster.valid.assign(raster.pixels.size() / static_cast<std::size_t>(raster.bands), 1);
  raster.valid[pixel] = 0;
}

// A pixel is fill where any chosen band holds that band's nodata value (which may be NaN).
void mark_nodata(Raster& raster, GDALRasterBandH band, int slot) {
  int has_nodata = 0;
  const auto nodata = static_cast<float>(GDALGetRasterNoDataValue(band, &has_nodata));
  if (has_nodata == 0) return;
  const auto bands = static_cast<std::size_t>(raster.bands);
  for (std::size_t i = static_cast<std::size_t>(slot); i < raster.pixels.size(); i += bands) {
    const float value = raster.pixels[i];
    if (value == nodata || (std::isnan(value) && std::isnan(nodata))) mark_invalid(raster, i / bands);
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

Raster read_gdal(const std::filesystem::path& path, const std::vector<int>& bands) {
  ensure_gdal();
  const GdalErrors errors;
  const auto open = open_raster(path, errors);
  const auto chosen = chosen_bands(path, bands, static_cast<int>(open.measured.size()));
  Raster raster;
  raster.height = GDALGetRasterYSize(open.dataset.get());
  raster.width = GDALGetRasterXSize(open.dataset.get());
  raster.bands = static_cast<int>(chosen.size());
  check_extent(path, raster.height, raster.width, raster.bands);
  raster.georeference = georeference_of(open.dataset.get());
  raster.pixels.resize(static_cast<std::size_t>(raster.height) * static_cast<std::size_t>(raster.width) *
                       chosen.size());
  for (std::size_t slot = 0; slot < chosen.size(); ++slot) {
    auto* band = open.measured[static_cast<std::size_t>(chosen[slot])];
    const auto type = stored_type(path, GDALGetRasterDataType(band));
    if (slot == 0 || size_of(type) > size_of(raster.stored)) raster.stored = type;
    read_band(path, band, raster, raster.pixels.data() + slot, raster.bands, errors);
  }
  // After all bands are in: marking allocates by the size of the whole.
  for (std::size_t slot = 0; slot < chosen.size(); ++slot)
    mark_nodata(raster, open.measured[static_cast<std::size_t>(chosen[slot])], static_cast<int>(slot));
  for (auto* band : open.alpha) mark_transparent(path, raster, band, errors);
  check_pixels(path, chosen, raster);
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
    if (shape[0] <= kMaxBands && shape[2] > kMaxBands) return {shape[1], shape[2], shape[0], true};
    return {shape[0], shape[1], shape[2], false};
  }
  throw input_error("{} has {} dimensions; a tile is [height, width], [height, width, bands] or [bands, height, width]",
                    path.string(), shape.size());
}

Raster read_npy_raster(const std::filesystem::path& path, const std::vector<int>& bands) {
  const auto array = read_npy(path);
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
  raster.pixels.resize(area * chosen.size());
  for (std::size_t slot = 0; slot < chosen.size(); ++slot) {
    const auto start = static_cast<std::size_t>(chosen[slot]) * (layout.channels_first ? area : 1);
    for (std::size_t pixel = 0; pixel < area; ++pixel)
      raster.pixels[pixel * chosen.size() + slot] = array.values[start + pixel * stride];
  }
  check_pixels(path, chosen, raster);
  return raster;
}

}  // namespace

bool Georeference::present() const {
  return !projection.empty() || transform != Georeference{}.transform;
}

Raster read_raster(const std::filesystem::path& path, const std::vector<int>& bands) {
  std::error_code failed;
  if (!std::filesystem::exists(path, failed)) throw input_error("cannot read {}: no such file", path.string());
  if (std::filesystem::is_directory(path, failed)) throw input_error("{} is a folder, not a tile", path.string());
  if (std::filesystem::is_regular_file(path, failed) && std::filesystem::file_size(path, failed) == 0)
    throw input_error("{} is empty (0 bytes)", path.string());
  return lower_extension(path) == ".npy" ? read_npy_raster(path, bands) : read_gdal(path, bands);
}

bool is_raster_name(const std::filesystem::path& path) {
  static const std::set<std::string> known{".tif", ".tiff", ".png", ".jpg", ".jpeg",
                                           ".npy", ".img",  ".vrt", ".jp2", ".bmp"};
  return known.contains(lower_extension(path));
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
