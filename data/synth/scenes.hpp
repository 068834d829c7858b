// Drawn days: what a user fetches from NOAA to train on, for tests and demonstrations.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>

namespace plume::data::synth {

struct ScenesOptions {
  std::filesystem::path folder;  // made where absent
  int count = 1;                 // scenes, one a day
  std::uint64_t seed = 0;
  bool thermal = false;  // C07 and C13 too
  int threads = 2;
};

// Writes folder/abi/OR_ABI-L1b-RadM1-*.nc, C01 .. C06, and folder/hms/hms_smokeYYYYMMDD.shp with the smoke that is in them.
// Throws usage_error for a count below 1; environment_error naming what cannot be written.
void write_abi_scenes(const ScenesOptions& options, const std::function<void(int done, int total)>& progress = {});

}  // namespace plume::data::synth
