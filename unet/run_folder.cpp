// What a run's folder sees of a training's beginning.
#include "unet/run_folder.hpp"

#include <system_error>
#include <utility>

#include "kernels/base/error.hpp"
#include "unet/kept_checkpoints.hpp"
#include "unet/run_record.hpp"

namespace plume::unet {

RunFolder::RunFolder(std::filesystem::path folder) : folder_(std::move(folder)) {
  std::error_code failed;
  for (auto path = folder_; !path.empty() && !std::filesystem::exists(path, failed); path = path.parent_path())
    made_.push_back(path);
  std::filesystem::create_directories(folder_, failed);
  if (failed) throw environment_error("cannot create {}: {}", folder_.string(), failed.message());
  lock_.emplace(folder_);
}

RunFolder::~RunFolder() {
  std::error_code not_empty;
  for (const auto& path : made_) std::filesystem::remove(path, not_empty);
}

void RunFolder::begin(const std::filesystem::path& resume) const {
  forget_run_record(folder_);
  set_newer_aside(folder_, resume);
}

}  // namespace plume::unet
