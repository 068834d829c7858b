// Who began a training, how and with what: starts.jsonl in a run's folder, a line for each start, also of one that goes on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>

namespace plume::unet {

struct Start {
  std::string device;  // describe_device's
  int ranks = 1;
  std::uint64_t seed = 0;
  std::int64_t step = 0;  // steps done before
  std::size_t parameters = 0;
};

// Appends {"time" (UTC), "command", "folder" (the working one), "host", "ranks", "device", "seed", "step", "parameters", "plume", "commit" (of
// plume's source, as it was built), "compiler", "libraries" (name: the version that it was built with)}. Throws environment_error.
void record_start(const std::filesystem::path& folder, const Start& start);

}  // namespace plume::unet
