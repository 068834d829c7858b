// A file that appears under its final name whole or not at all: written beside it, synced where asked, renamed.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string_view>

namespace plume {

// Whether a committed file must outlive a loss of power. Waiting for the disk takes milliseconds and more, which results
// that can be computed again are not worth.
enum class Durable { yes, no };

// Usage: AtomicFile file(path); file.write(...); file.commit();
// Without commit() the destructor removes the temporary, so an exception leaves nothing. A killed process (SIGKILL,
// or a signal that nobody handles) leaves its temporary, which the next process that writes a file of the same
// name removes if it was there when that process first wrote to the folder, and if its writer no longer runs. Writers
// are looked up on this machine: machines or containers that share a folder must not write one name at one time.
// A library that wants a path of its own (HDF5, GDAL) writes to temporary() and never calls write().
// Throws environment_error (exit 4) naming the path and the system's reason: no folder, no permission, disk full.
class AtomicFile {
 public:
  explicit AtomicFile(std::filesystem::path path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  // The temporary in the same folder, "<name>.tmp-<pid>-<n>"; exists and is empty after construction.
  [[nodiscard]] const std::filesystem::path& temporary() const noexcept { return temporary_; }
  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

  void write(std::span<const std::byte> bytes);
  void write(std::string_view text) { write(std::as_bytes(std::span(text.data(), text.size()))); }

  // Waits until what was written is on the disk, where it is still the temporary: what may fail, fails here.
  void sync();

  // Renames the temporary to path(); durable: between an fsync of it and one of the folder.
  void commit(Durable durable = Durable::yes);

 private:
  std::filesystem::path path_;
  std::filesystem::path temporary_;
  int descriptor_ = -1;
};

}  // namespace plume
