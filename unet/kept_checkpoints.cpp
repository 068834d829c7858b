// Names, links and checksums.
#include "unet/kept_checkpoints.hpp"

#include <fmt/core.h>

#include "kernels/base/error.hpp"
#include "unet/checkpoint.hpp"

namespace plume::unet {

std::filesystem::path checkpoint_path(const std::filesystem::path& folder, int age) {
  return folder / (age == 0 ? std::string("last.safetensors") : fmt::format("last.{}.safetensors", age));
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
  for (int age = 0; age == 0 || std::filesystem::exists(checkpoint_path(folder, age)); ++age) {
    const auto path = checkpoint_path(folder, age);
    if (!std::filesystem::exists(path)) continue;
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
