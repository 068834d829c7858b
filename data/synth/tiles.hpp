// GOES-like tiles with drawn smoke and their masks, for tests and demonstrations where no real data is at hand.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "data/images/raster.hpp"

namespace plume::data::synth {

struct Scene {
  std::string name;
  int size = 0;
  std::vector<std::uint8_t> pixels;  // [size, size, 6], floor(sqrt(100 * reflectance) * 25.5)
  std::vector<std::uint8_t> mask;    // [size, size], 255 where there is smoke
  Georeference georeference;         // EPSG:4326, near California
};

// Scene `index` of a seed; the same arguments give the same scene. About two thirds hold smoke.
[[nodiscard]] Scene draw_scene(std::uint64_t seed, int index, int size = 256);

// Writes tiles/<name>.tif and masks/<name>.png below `folder` (made where absent).
// Throws environment_error naming the file that cannot be written.
void write_scenes(const std::filesystem::path& folder, int count, std::uint64_t seed,
                  const std::function<void(int done, int total)>& progress = {});

}  // namespace plume::data::synth
