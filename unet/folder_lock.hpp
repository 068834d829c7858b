// One training per run folder: a lock that goes with its process, however that ends.
#pragma once

#include <filesystem>

namespace plume::unet {

class FolderLock {
 public:
  // Throws environment_error where another process holds the folder or it cannot be opened. File systems that know no
  // locks are let pass.
  explicit FolderLock(const std::filesystem::path& folder);
  ~FolderLock();
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  int descriptor_;
};

}  // namespace plume::unet
