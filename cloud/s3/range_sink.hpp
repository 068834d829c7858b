// One range of an object on its way into a file.
#pragma once

#include <cstdint>
#include <string>

#include "cloud/s3/checksum.hpp"
#include "cloud/s3/local_file.hpp"

namespace plume::cloud {

class RangeSink final : public BodySink {
 public:
  // `what` for messages; `first` to `last`, counted in, goes to that place of the file.
  RangeSink(std::string what, LocalFile& file, std::uint64_t first, std::uint64_t last)
      : what_(std::move(what)), file_(file), first_(first), last_(last) {}

  void begin(const HttpResponse& head) override;
  void write(std::span<const std::byte> bytes) override;
  // Also checks the reply's checksum where the range is the whole object.
  void end(const HttpResponse& response) override;

  [[nodiscard]] std::uint64_t total() const noexcept { return total_; }  // the object's size
  [[nodiscard]] std::uint64_t size() const noexcept { return size_; }    // of what came
  [[nodiscard]] std::uint32_t crc32c() const noexcept { return crc32c_; }
  [[nodiscard]] const std::string& etag() const noexcept { return etag_; }
  [[nodiscard]] bool verified() const noexcept { return verified_; }

 private:
  void read_content_range(const HttpResponse& head);

  std::string what_;
  LocalFile& file_;
  std::uint64_t first_;
  std::uint64_t last_;
  std::uint64_t total_ = 0;
  std::uint64_t expected_ = 0;  // bytes to come
  std::uint64_t size_ = 0;
  std::uint32_t crc32c_ = 0;
  std::string etag_;
  bool verified_ = false;
};

// Of a file's bytes from the first on.
[[nodiscard]] std::string file_checksum(const LocalFile& file, std::uint64_t size, ChecksumKind kind);
[[nodiscard]] std::uint32_t range_crc32c(const LocalFile& file, std::uint64_t offset, std::uint64_t size);

}  // namespace plume::cloud
