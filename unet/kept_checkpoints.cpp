// Names, links and checksums.
#include "unet/kept_checkpoints.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cstdio>
#include <map>

#include "kernels/base/error.hpp"
#include "unet/checkpoint.hpp"

namespace plume::unet {

std::filesystem::path checkpoint_path(const std::filesystem::path& folder, int age) {
  return folder / (age == 0 ? std::string("last.safetensors") : fmt::format("last.{}.safetensors", age));
}

std::vector<std::filesystem::path> checkpoints_in(const std::filesystem::path& folder) {
  std::map<int, std::filesystem::path> by_age;  // there may be gaps, where a training was killed in between
  std::error_code failed;
  for (const auto& entry : std::filesystem::directory_iterator(folder, failed)) {
    const std::string name = entry.path().filename().string();
    int age = 0;
    if (name == checkpoint_path(folder).filename() ||
        (std::sscanf(name.c_str(), "last.%d.safetensors", &age) == 1 && entry.path() == checkpoint_path(folder, age)))
      by_age.emplace(age, entry.path());
  }
  std::vector<std::filesystem::path> paths;
  for (const auto& [age, path] : by_age) paths.push_back(path);
  return paths;
}

void set_newer_aside(const std::filesystem::path& folder, const std::filesystem::path& resumed) {
  const auto paths = checkpoints_in(folder);
  const auto place = std::find(paths.begin(), paths.end(), resumed);
  if (place == paths.end()) return;
  std::error_code failed;
  for (auto path = paths.begin(); path != place; ++path)
    std::filesystem::rename(*path, folder / ("damaged-" + path->filename().string()), failed);
}

void make_way(const std::filesystem::path& folder, int keep) {
  namespace fs = std::filesystem;
  const fs::path newest = checkpoint_path(folder);
  std::error_code failed;
  for (int age = std::max(keep, 1); fs::exists(checkpoint_path(folder, age), failed); ++age)
    fs::remove(checkpoint_path(folder, age), failed);  // more were kept before
  if (keep < 2 || !fs::exists(newest, failed)) return;
  for (int age = keep - 1; age > 1; --age)
    fs::rename(checkpoint_path(folder, age - 1), checkpoint_path(folder, age), failed);  // which may not be there yet
  const fs::path before = checkpoint_path(folder, 1);
  fs::remove(before, failed);
  fs::create_hard_link(newest, before, failed);
  if (failed) fs::copy_file(newest, before, failed);  // where a file has one name
}

std::optional<std::filesystem::path> newest_whole(const std::filesystem::path& folder,
                                                  const std::function<void(const std::string&)>& note) {
  std::string damage;
  for (const auto& path : checkpoints_in(folder)) {
    try {
      const std::int64_t step = require_whole(path);
      if (!damage.empty()) note(fmt::format("{}; going on from {}, of step {}", damage, path.string(), step));
      return path;
    } catch (const Error& error) {
      damage += (damage.empty() ? "" : "; ") + std::string(error.what());
    }
  }
  if (!damage.empty()) throw input_error("{}; no checkpoint in {} is whole", damage, folder.string());
  return std::nullopt;
}

}  // namespace plume::unet
