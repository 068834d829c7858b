// A scene's bands on one grid: what a model is given, and what tiles are packed from.
#pragma once

#include <span>
#include <utility>
#include <vector>

#include "data/abi/granule.hpp"
#include "data/abi/scene.hpp"
#include "data/geo/grid.hpp"
#include "data/geo/resample.hpp"
#include "data/images/raster.hpp"

namespace plume::data::abi {

// What pixels hold.
enum class Scaling {
  bytes,     // C01..C06 as byte_of_reflectance makes them; C07..C16 brightness temperatures in kelvin
  physical,  // reflectance and brightness temperature
};

struct SceneOptions {
  std::vector<int> channels;  // 1..16, in the order of the raster's bands
  Scaling scaling = Scaling::bytes;
  geo::Resampling resampling = geo::Resampling::mean;
  // The sun is where it is halfway through the scan, which takes up to 10 minutes, hence 2.5 degrees.
  double max_sun_zenith = 180;  // degrees; where the sun stands lower, pixels are not valid
  bool divide_by_sun = false;   // reflectance by the cosine of the sun's zenith angle; where it has set, not valid
};

// What was seen of a band.
enum class Seen { nothing, fill, measured };

class SceneReader {
 public:
  // Opens the files. Throws input_error as require_bands and Granule do, and where the bands' projections differ.
  SceneReader(const Scene& scene, SceneOptions options);

  // The image of the first channel.
  [[nodiscard]] const geo::FixedGrid& image() const { return granules_.front().grid(); }

  // The scene on each grid: rasters of as many bands as channels. A pixel that is not measured in all of them, or that
  // max_sun_zenith leaves out, is not valid; on a grid where the scene shows nothing, or where a band was not
  // measured, none is. Each band's part around all grids is read once and held until it is sampled, one band at a
  // time, so memory is bounded by the choice of grids.
  // Throws input_error where a file cannot be read.
  [[nodiscard]] std::vector<Raster> read(std::span<const geo::Grid> grids) const;
  // One grid. Throws input_error also where the scene shows nothing of it, and where a band has no measured pixel
  // there.
  [[nodiscard]] Raster read(const geo::Grid& grid) const;
  // Of one that is read in parts, `seen` being by band and growing with each: what is not allowed of the whole,
  // require_seen throws.
  [[nodiscard]] Raster read_part(const geo::Grid& grid, std::vector<Seen>& seen) const;
  void require_seen(std::span<const Seen> seen) const;

  [[nodiscard]] int bands() const { return static_cast<int>(granules_.size()); }

 private:
  [[nodiscard]] std::vector<Raster> read(std::span<const geo::Grid> grids, std::vector<Seen>& seen) const;
  void judge_pixels(Raster& raster, const geo::ScanMap& map) const;

  Scene scene_;
  SceneOptions options_;
  std::vector<Granule> granules_;  // by channel, in the options' order
};

}  // namespace plume::data::abi
