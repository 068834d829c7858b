// A whole file as read-only memory.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <utility>

namespace plume {

class MappedFile {
 public:
  // Throws, naming the file: input_error where it cannot be opened or is no regular file (a folder, a pipe; it is not
  // waited for), environment_error where the system cannot map it.
  explicit MappedFile(const std::filesystem::path& path);
  ~MappedFile();
  MappedFile(MappedFile&& other) noexcept : bytes_(std::exchange(other.bytes_, {})) {}
  MappedFile& operator=(MappedFile&& other) noexcept {
    std::swap(bytes_, other.bytes_);
    return *this;
  }

  // Starts at a page of memory; empty for an empty file. A file that is shortened while it is mapped must not be read
  // past its new end: the system ends the process (SIGBUS).
  [[nodiscard]] std::span<const std::byte> bytes() const noexcept { return bytes_; }

 private:
  std::span<const std::byte> bytes_;
};

}  // namespace plume
