// pread and pwrite: no position that threads would share.
#include "cloud/s3/local_file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "kernels/base/error.hpp"

namespace plume::cloud {
namespace {

std::string reason() {
  return std::generic_category().message(errno);
}

bool is_still_at(int descriptor, const std::filesystem::path& path) {
  struct stat held {};
  struct stat there {};
  return ::fstat(descriptor, &held) == 0 && ::stat(path.c_str(), &there) == 0 && held.st_ino == there.st_ino &&
         held.st_dev == there.st_dev;
}

// Two that write to one file at a time would each believe in bytes that the other has taken away.
int open_alone(const std::filesystem::path& path) {
  while (true) {
    const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (descriptor < 0) throw environment_error("{}: cannot be made: {}", path.string(), reason());
    if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {  // else no locks are to be had there
      ::close(descriptor);
      throw environment_error("{}: another process writes to it: wait for its end", path.string());
    }
    if (is_still_at(descriptor, path)) return descriptor;
    ::close(descriptor);  // the other has just finished, and given it another name
  }
}

}  // namespace

LocalFile::LocalFile(std::filesystem::path path, For purpose) : path_(std::move(path)) {
  descriptor_ = purpose == For::reading ? ::open(path_.c_str(), O_RDONLY | O_CLOEXEC) : open_alone(path_);
  if (descriptor_ < 0) throw input_error("{}: cannot be opened: {}", path_.string(), reason());
  struct stat status {};
  if (::fstat(descriptor_, &status) != 0 || !S_ISREG(status.st_mode)) {
    ::close(descriptor_);
    throw input_error("{}: is no regular file", path_.string());
  }
}

LocalFile::~LocalFile() {
  ::close(descriptor_);
}

std::uint64_t LocalFile::size() const {
  struct stat status {};
  if (::fstat(descriptor_, &status) != 0) throw environment_error("{}: {}", path_.string(), reason());
  return static_cast<std::uint64_t>(status.st_size);
}

std::size_t LocalFile::read(std::span<std::byte> into, std::uint64_t offset) const {
  std::size_t done = 0;
  while (done < into.size()) {
    const ssize_t size =
        ::pread(descriptor_, into.data() + done, into.size() - done, static_cast<off_t>(offset + done));
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) throw input_error("{}: cannot be read: {}", path_.string(), reason());
    if (size == 0) break;
    done += static_cast<std::size_t>(size);
  }
  return done;
}

void LocalFile::write(std::span<const std::byte> bytes, std::uint64_t offset) {
  while (!bytes.empty()) {
    const ssize_t size = ::pwrite(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) throw environment_error("{}: cannot be written: {}", path_.string(), reason());
    bytes = bytes.subspan(static_cast<std::size_t>(size));
    offset += static_cast<std::uint64_t>(size);
  }
}

void LocalFile::resize(std::uint64_t size) {
  if (::ftruncate(descriptor_, static_cast<off_t>(size)) != 0)
    throw environment_error("{}: cannot be made {} bytes long: {}", path_.string(), size, reason());
}

void LocalFile::start_sync(std::uint64_t offset, std::uint64_t size) noexcept {
  // Where a file system knows nothing of it, sync() has more to do.
  static_cast<void>(
      ::sync_file_range(descriptor_, static_cast<off_t>(offset), static_cast<off_t>(size), SYNC_FILE_RANGE_WRITE));
}

void LocalFile::sync() {
  if (::fsync(descriptor_) != 0) throw environment_error("{}: cannot be written: {}", path_.string(), reason());
}

std::size_t FileBody::read(std::span<std::byte> into) {
  const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(into.size(), size_ - at_));
  const std::size_t size = file_.read(into.first(wanted), offset_ + at_);
  if (size < wanted) throw input_error("{}: has become shorter while it was sent", file_.path().string());
  at_ += size;
  return size;
}

}  // namespace plume::cloud
