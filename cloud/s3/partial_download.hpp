// What has come of a download that is not finished: the bytes, and a log that says which.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "cloud/s3/local_file.hpp"

namespace plume::cloud {

class PartialDownload {
 public:
  // Takes up what an earlier one left where `resume`; begins anew otherwise.
  PartialDownload(const std::filesystem::path& target, std::uint64_t part_size, bool resume);

  [[nodiscard]] LocalFile& file() noexcept { return file_; }
  // Of the object that it belongs to; empty: nothing has come yet.
  [[nodiscard]] const std::string& etag() const noexcept { return etag_; }
  [[nodiscard]] std::uint64_t size() const noexcept { return size_; }
  // CRC32C of a part that has come.
  [[nodiscard]] std::optional<std::uint32_t> find(std::size_t part) const;
  [[nodiscard]] std::size_t parts() const { return parts_.size(); }

  void begin(const std::string& etag, std::uint64_t size);
  void add(std::size_t part, std::uint32_t crc32c);  // from any thread

  void discard();  // both files
  void commit(const std::filesystem::path& target);

 private:
  void read_log();
  void append(const std::string& line);

  std::filesystem::path log_;
  LocalFile file_;
  std::uint64_t part_size_;
  std::string etag_;
  std::uint64_t size_ = 0;
  mutable std::mutex mutex_;
  std::map<std::size_t, std::uint32_t> parts_;
};

}  // namespace plume::cloud
