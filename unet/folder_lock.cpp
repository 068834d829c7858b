// flock(2) on the folder itself, so that no lock file is left behind.
#include "unet/folder_lock.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "kernels/base/error.hpp"

namespace plume::unet {

FolderLock::FolderLock(const std::filesystem::path& folder)
    : descriptor_(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
  if (descriptor_ < 0) throw environment_error("cannot open {}: {}", folder.string(), std::strerror(errno));
  if (::flock(descriptor_, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    ::close(descriptor_);
    throw environment_error("{}: another training is writing there; wait for it, or choose another --out",
                            folder.string());
  }
}

FolderLock::~FolderLock() {
  ::close(descriptor_);
}

}  // namespace plume::unet
