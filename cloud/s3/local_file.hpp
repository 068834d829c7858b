// Files on this machine, read and written at offsets by several threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>

#include "cloud/http/message.hpp"

namespace plume::cloud {

// Throws input_error or environment_error, naming the file and the system's reason.
class LocalFile {
 public:
  enum class For { reading, writing };  // writing makes it where it is not there, and lets nobody else write
  LocalFile(std::filesystem::path path, For purpose);
  ~LocalFile();
  LocalFile(const LocalFile&) = delete;
  LocalFile& operator=(const LocalFile&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }
  [[nodiscard]] std::uint64_t size() const;
  // Fewer bytes than asked for: the file ends there.
  [[nodiscard]] std::size_t read(std::span<std::byte> into, std::uint64_t offset) const;
  void write(std::span<const std::byte> bytes, std::uint64_t offset);
  void resize(std::uint64_t size);
  // Has the disk begin with these bytes, so that sync() waits for less.
  void start_sync(std::uint64_t offset, std::uint64_t size) noexcept;
  void sync();

 private:
  std::filesystem::path path_;
  int descriptor_;
};

// Part of a file as a request's body; throws input_error where the file has become shorter meanwhile.
class FileBody final : public Body {
 public:
  FileBody(const LocalFile& file, std::uint64_t offset, std::uint64_t size)
      : file_(file), offset_(offset), size_(size) {}
  [[nodiscard]] std::uint64_t size() const override { return size_; }
  void rewind() override { at_ = 0; }
  [[nodiscard]] std::size_t read(std::span<std::byte> into) override;

 private:
  const LocalFile& file_;
  std::uint64_t offset_;
  std::uint64_t size_;
  std::uint64_t at_ = 0;
};

}  // namespace plume::cloud
