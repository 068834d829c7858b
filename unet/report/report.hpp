// One page about a training, or several side by side: curves, what the best model gets right and wrong, and the record.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "unet/inference/device.hpp"

namespace plume::unet {

struct ReportOptions {
  std::vector<std::filesystem::path> runs;  // folders
  std::string split = "val";                // that the best models are looked at on
  int tiles = 6;                            // of the worst and of the best of each run; 0: no pictures
  DeviceSettings device;
  int threads = 0;
};

struct Report {
  std::string html;                // self-contained: it asks for nothing
  std::vector<std::string> notes;  // what is missing in it and why, a line each
};

// Throws input_error where a folder is none of a training. Where its shard is no longer there, or it has no best model,
// the page goes without pictures and curves over thresholds, and a note says so.
[[nodiscard]] Report make_report(const ReportOptions& options);

}  // namespace plume::unet
