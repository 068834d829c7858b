// Reads a band at a time, samples it on every grid, and then judges each pixel over all bands.
#include "data/abi/scene_reader.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "data/abi/scaling.hpp"
#include "data/geo/sun.hpp"
#include "kernels/base/error.hpp"

namespace plume::data::abi {
namespace {

// The least window that holds both; one of no pixels holds nothing.
PixelWindow joined(const PixelWindow& a, const PixelWindow& b) {
  if (a.pixels() == 0) return b;
  if (b.pixels() == 0) return a;
  const std::size_t row = std::min(a.row, b.row);
  const std::size_t column = std::min(a.column, b.column);
  return {.row = row,
          .column = column,
          .height = std::max(a.row + a.height, b.row + b.height) - row,
          .width = std::max(a.column + a.width, b.column + b.width) - column};
}

bool is_reflective(int channel) {
  return channel <= reflective_channels;
}

std::chrono::sys_time<std::chrono::duration<double>> middle_of(const FileName& name) {
  const std::chrono::duration<double> half = (name.end - name.start) / 2.0;
  return name.start + half;
}

}  // namespace

SceneReader::SceneReader(const Scene& scene, SceneOptions options) : scene_(scene), options_(std::move(options)) {
  require_bands(std::span(&scene, 1), options_.channels);
  for (const int channel : options_.channels) {
    const Granule& granule = granules_.emplace_back(scene.bands.at(channel));
    if (granule.grid().projection != image().projection)
      throw input_error("{} and {} were not projected alike, so they are no scene", granules_.front().path().string(),
                        granule.path().string());
  }
}

std::vector<Raster> SceneReader::read(std::span<const geo::Grid> grids) const {
  std::vector<Seen> seen;
  return read(grids, seen);
}

Raster SceneReader::read(const geo::Grid& grid) const {
  std::vector<Seen> seen;
  Raster raster = read_part(grid, seen);
  require_seen(seen);
  return raster;
}

Raster SceneReader::read_part(const geo::Grid& grid, std::vector<Seen>& seen) const {
  return std::move(read(std::span(&grid, 1), seen).front());
}

void SceneReader::require_seen(std::span<const Seen> seen) const {
  for (std::size_t band = 0; band < seen.size(); ++band) {
    if (seen[band] == Seen::nothing)
      throw input_error("the scene {} shows nothing of the grid asked for", scene_.text());
    if (seen[band] == Seen::fill)
      throw input_error("{}: no pixel was measured: all are fill or flagged as bad", granules_[band].path().string());
  }
}

std::vector<Raster> SceneReader::read(std::span<const geo::Grid> grids, std::vector<Seen>& seen) const {
  std::vector<geo::ScanMap> maps;
  std::vector<Raster> rasters;
  const std::size_t bands = granules_.size();
  seen.resize(bands, Seen::nothing);
  for (const geo::Grid& grid : grids) {
    maps.emplace_back(grid, image().projection);
    Raster& raster = rasters.emplace_back();
    raster.height = grid.height;
    raster.width = grid.width;
    raster.bands = static_cast<int>(bands);
    raster.pixels.assign(static_cast<std::size_t>(grid.height) * static_cast<std::size_t>(grid.width) * bands,
                         std::numeric_limits<float>::quiet_NaN());
    raster.georeference = grid.georeference;
  }
  for (std::size_t band = 0; band < bands; ++band) {
    const Granule& granule = granules_[band];
    PixelWindow window;
    for (const geo::ScanMap& map : maps) window = joined(window, map.window(granule.grid()));
    if (window.pixels() == 0) continue;
    const geo::Plane plane{window, granule.read(window)};
    const bool measured =
        std::any_of(plane.values.begin(), plane.values.end(), [](float value) { return !std::isnan(value); });
    seen[band] = std::max(seen[band], measured ? Seen::measured : Seen::fill);
    for (std::size_t i = 0; i < maps.size(); ++i)
      maps[i].sample(granule.grid(), plane, options_.resampling, rasters[i].pixels.data() + band, bands);
  }
  for (std::size_t i = 0; i < maps.size(); ++i) judge_pixels(rasters[i], maps[i]);
  return rasters;
}

// Which pixels are valid, and the scaling of those that are.
void SceneReader::judge_pixels(Raster& raster, const geo::ScanMap& map) const {
  const bool bytes = options_.scaling == Scaling::bytes;
  const bool heeds_sun = options_.max_sun_zenith < 180 || options_.divide_by_sun;
  const geo::Sun sun(middle_of(scene_.name));
  const double least_cosine = std::cos(options_.max_sun_zenith * std::numbers::pi / 180);
  const auto& channels = options_.channels;
  raster.stored = bytes && std::all_of(channels.begin(), channels.end(), is_reflective) ? DType::u8 : DType::f32;
  raster.valid.assign(raster.pixels.size() / channels.size(), 1);
  float* values = raster.pixels.data();
  for (std::size_t pixel = 0; pixel < raster.valid.size(); ++pixel, values += channels.size()) {
    bool valid = std::none_of(values, values + channels.size(), [](float value) { return std::isnan(value); });
    double cosine = 1;
    if (valid && heeds_sun) {
      const auto width = static_cast<std::size_t>(raster.width);
      const auto angle = map.angle(static_cast<int>(pixel / width), static_cast<int>(pixel % width));
      cosine = sun.cosine_of_zenith(image().projection.place(angle));
      valid = cosine >= least_cosine && (cosine > 0 || !options_.divide_by_sun);
    }
    raster.valid[pixel] = valid ? 1 : 0;
    for (std::size_t band = 0; band < channels.size(); ++band) {
      if (!valid) {
        values[band] = 0;
      } else if (is_reflective(channels[band])) {
        const double reflectance = options_.divide_by_sun ? values[band] / cosine : values[band];
        values[band] = static_cast<float>(bytes ? byte_of_reflectance(reflectance) : reflectance);
      }
    }
  }
  if (std::find(raster.valid.begin(), raster.valid.end(), std::uint8_t{0}) == raster.valid.end()) raster.valid.clear();
}

}  // namespace plume::data::abi
