// Where a training writes: made, kept from others, and left as it was by a training that refuses to begin.
#pragma once

#include <filesystem>
#include <optional>

#include "unet/folder_lock.hpp"

namespace plume::unet {

class RunFolder {
 public:
  // Makes and locks it. Throws environment_error, also where another training is writing there.
  explicit RunFolder(std::filesystem::path folder);
  // Removes it again where it was made here and nothing has come to be in it.
  ~RunFolder();
  RunFolder(const RunFolder&) = delete;
  RunFolder& operator=(const RunFolder&) = delete;

  // Before the first step of a training that goes on from the checkpoint `resume`, or from none (empty): what an
  // earlier one said of its end goes, and its newer checkpoints aside. Throws environment_error.
  void begin(const std::filesystem::path& resume) const;

 private:
  std::filesystem::path folder_;
  bool made_ = false;
  std::optional<FolderLock> lock_;
};

}  // namespace plume::unet
