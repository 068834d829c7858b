// Bands, extents, fill.
#include "data/images/raster_rules.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "kernels/base/error.hpp"

namespace plume::data {

std::vector<int> chosen_bands(const std::string& name, const std::vector<int>& bands, int available) {
  if (bands.empty()) {
    std::vector<int> all(static_cast<std::size_t>(available));
    std::iota(all.begin(), all.end(), 0);
    return all;
  }
  for (const int band : bands) {
    if (band < 0 || band >= available)
      throw input_error("{} has {} band{}, so there is no band {} to choose", name, available,
                        available == 1 ? "" : "s", band + 1);
  }
  return bands;
}

void require_extent(const std::string& name, std::int64_t height, std::int64_t width, std::int64_t bands,
                    std::int64_t most_values) {
  const auto limit = std::numeric_limits<int>::max();
  if (height < 1 || width < 1 || bands < 1 || height > limit || width > limit || bands > 65536)
    throw input_error("{} is {}x{} with {} bands, which is no tile", name, height, width, bands);
  if (height * width > max_pixels)
    throw input_error("{} is {}x{}: {} pixels, more than the {} that one tile may have; cut it into smaller ones", name,
                      height, width, height * width, max_pixels);
  if (height * width * bands > most_values)
    throw input_error(
        "{} is {}x{} with {} bands: {} values, more than the {} that one tile may have; choose fewer "
        "bands or cut it into smaller ones",
        name, height, width, bands, height * width * bands, most_values);
}

DType stored_type(DType type) {
  return type == DType::u8 || type == DType::u16 ? type : DType::f32;
}

void mark_invalid(Raster& raster, std::size_t pixel) {
  if (raster.valid.empty()) raster.valid.assign(raster.pixels.size() / static_cast<std::size_t>(raster.bands), 1);
  raster.valid[pixel] = 0;
}

void clear_invalid(Raster& raster) {
  if (std::find(raster.valid.begin(), raster.valid.end(), std::uint8_t{0}) == raster.valid.end()) raster.valid.clear();
  const auto bands = static_cast<std::size_t>(raster.bands);
  for (std::size_t pixel = 0; pixel < raster.valid.size(); ++pixel) {
    if (raster.valid[pixel] == 0) std::fill_n(raster.pixels.data() + pixel * bands, bands, 0.0F);
  }
}

void require_finite(const std::string& name, const std::vector<int>& bands, const Raster& raster, int first_row) {
  const auto found =
      std::find_if_not(raster.pixels.begin(), raster.pixels.end(), [](float value) { return std::isfinite(value); });
  if (found == raster.pixels.end()) return;
  const auto place = static_cast<std::size_t>(found - raster.pixels.begin());
  const auto count = static_cast<std::size_t>(raster.bands);
  const auto width = static_cast<std::size_t>(raster.width);
  const std::size_t slot = place % count;
  throw input_error("{}: band {} is {} at row {}, column {}; mend the tile or mark it as nodata", name,
                    (bands.empty() ? static_cast<int>(slot) : bands[slot]) + 1, std::isnan(*found) ? "NaN" : "infinite",
                    place / count / width + static_cast<std::size_t>(first_row), place / count % width);
}

std::uint16_t GeoKeys::value_of(std::uint16_t key) const {
  constexpr std::size_t entry_size = 4;  // key, place (0: in the directory), count, value; the first entry is a header
  for (std::size_t entry = entry_size; entry + entry_size <= directory.size(); entry += entry_size) {
    if (directory[entry] == key && directory[entry + 1] == 0) return directory[entry + 3];
  }
  return 0;
}

bool GeoKeys::longitude_latitude() const {
  constexpr std::uint16_t model_type_key = 1024;
  constexpr std::uint16_t geographic = 2;
  constexpr std::uint16_t geographic_type_key = 2048;
  constexpr std::uint16_t wgs84 = 4326;
  return value_of(model_type_key) == geographic && value_of(geographic_type_key) == wgs84;
}

void apply(const std::array<double, 6>& t, std::span<double> x, std::span<double> y) {
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double column = x[i];
    const double row = y[i];
    x[i] = t[0] + column * t[1] + row * t[2];
    y[i] = t[3] + column * t[4] + row * t[5];
  }
}

bool Georeference::present() const {
  return !projection.empty() || !keys.directory.empty() || transform != Georeference{}.transform;
}

}  // namespace plume::data
