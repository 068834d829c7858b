// Drawn smoke as HMS's analysts would outline it: smooth, coarse polygons by density, in a shapefile of the day.
#pragma once

#include <filesystem>
#include <span>
#include <vector>

#include "data/hms/polygons.hpp"
#include "data/synth/abi_scene.hpp"

namespace plume::data::synth {

// Optical depth at 0.55 um from which smoke counts as light, medium and heavy.
inline constexpr std::array<float, 3> outline_depths{0.2F, 0.6F, 1.2F};

// The denser lie within the lighter. Their time is from an hour before the scene to an hour after it.
// Throws environment_error where GDAL cannot be opened.
[[nodiscard]] std::vector<SmokePolygon> outline_smoke(const AbiScene& scene);

// hms_smokeYYYYMMDD.shp, .shx, .dbf and .prj in a folder, the day being the analysts' (hms/archive.hpp), with the fields of
// NOAA's files (Satellite, Start, End, Density). No polygons: a day without smoke.
// Throws environment_error naming what cannot be written.
void write_smoke_day(const std::filesystem::path& folder, UtcTime time, std::span<const SmokePolygon> polygons);

}  // namespace plume::data::synth
