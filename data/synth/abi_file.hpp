// A drawn sector as the files that NOAA publishes of a real one: names, variables, attributes, packing and projection.
// They differ from a real file's header in what depends on the scene (times, places, counts of pixels, statistics, id), and in
//   production_data_source  "Simulated" instead of "Realtime"
//   LUT_Filenames           "none" instead of the ground system's tables
//   earth_sun_distance_anomaly_in_AU  that of October, whatever the day, as kappa0 is, which hangs on it
//   t_star_look, band_wavelength_star_look, star_id  no value: no star was looked at
// Source: abi_l1b.cdl is the header of GOES-17's files of October 2019; GOES-R PUG, volume 3.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>

#include "data/synth/abi_scene.hpp"

namespace plume::data::synth {

// Writes one band (its place among drawn_abi_bands()) into a folder and returns the file's path. It appears whole or not at all.
// Throws environment_error naming the file where it cannot be written, and where NetCDF-C is absent.
std::filesystem::path write_abi_file(const std::filesystem::path& folder, const AbiScene& scene, std::size_t band,
                                     std::uint64_t id);

}  // namespace plume::data::synth
