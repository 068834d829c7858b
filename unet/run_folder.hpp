// Where a training writes: made, kept from others, and left as it was by a training that refuses to begin.
#pragma once

#include <filesystem>
#include <optional>
#include <vector>

#include "unet/folder_lock.hpp"

namespace plume::unet {

class RunFolder {
 public:
  // Makes and locks it. Throws environment_error, also where another training is writing there.
  explicit RunFolder(std::filesystem::path folder);
  // Removes it again, and folders around it, where they were made here and nothing has come to be in them.
  ~RunFolder();
  RunFolder(const RunFolder&) = delete;
  RunFolder& operator=(const RunFolder&) = delete;

  // Before the first step of a training that goes on from the checkpoint `resume`, or from none (empty): what an
  // earlier one said of its end goes, and its newer checkpoints aside. Throws environment_error.
  void begin(const std::filesystem::path& resume) const;

 private:
  std::filesystem::path folder_;
  std::vector<std::filesystem::path> made_;  // innermost first
  std::optional<FolderLock> lock_;
};

}  // namespace plume::unet
