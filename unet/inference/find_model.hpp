// A model as users name it: its file, or a folder that holds one.
#pragma once

#include <filesystem>
#include <optional>

namespace plume::unet {

struct FoundModel {
  std::filesystem::path file;
  std::optional<float> threshold;  // what a model.json beside it says
};

// A folder is what `plume export sagemaker` archives: one .safetensors, and a model.json that may be missing. Throws
// input_error for a folder with none or several, or whose model.json is no JSON or has a threshold outside 0 to 1.
[[nodiscard]] FoundModel find_model(const std::filesystem::path& named);

}  // namespace plume::unet
