// The log's first line names object and part size, each other one a part and the CRC32C of its bytes, by which a part
// is believed only if the file has them: a line may outlive the bytes when a machine loses power.
#include "cloud/s3/partial_download.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "cloud/s3/range_sink.hpp"
#include "kernels/base/error.hpp"

namespace plume::cloud {
namespace {

std::filesystem::path beside(const std::filesystem::path& target, const char* ending) {
  std::filesystem::path path = target;
  path += ending;
  return path;
}

}  // namespace

PartialDownload::PartialDownload(const std::filesystem::path& target, std::uint64_t part_size, bool resume)
    : log_(beside(target, ".plume-part.log")),
      file_(beside(target, ".plume-part"), LocalFile::For::writing),
      part_size_(part_size) {
  if (resume) read_log();
  if (etag_.empty()) {
    std::filesystem::remove(log_);
    file_.resize(0);
  }
}

void PartialDownload::read_log() {
  std::ifstream stream(log_);
  std::string line;
  std::uint64_t part_size = 0;
  std::string etag;
  if (!std::getline(stream, line)) return;
  std::istringstream first(line);
  if (!(first >> part_size >> size_ >> etag) || part_size != part_size_) return;
  etag_ = etag;
  std::size_t part = 0;
  std::uint32_t crc = 0;
  while (stream >> part >> crc) {
    const std::uint64_t offset = part * part_size_;
    const std::uint64_t end = std::min(offset + part_size_, size_);
    if (offset < end && end <= file_.size() && range_crc32c(file_, offset, end - offset) == crc) parts_[part] = crc;
  }
}

std::optional<std::uint32_t> PartialDownload::find(std::size_t part) const {
  const std::lock_guard lock(mutex_);
  const auto found = parts_.find(part);
  return found == parts_.end() ? std::nullopt : std::optional<std::uint32_t>(found->second);
}

void PartialDownload::begin(const std::string& etag, std::uint64_t size) {
  etag_ = etag;
  size_ = size;
  parts_.clear();
  std::filesystem::remove(log_);
  append(fmt::format("{} {} {}\n", part_size_, size_, etag_));
}

void PartialDownload::add(std::size_t part, std::uint32_t crc32c) {
  const std::lock_guard lock(mutex_);
  parts_[part] = crc32c;
  append(fmt::format("{} {}\n", part, crc32c));
}

void PartialDownload::append(const std::string& line) {
  std::ofstream stream(log_, std::ios::app);
  stream << line << std::flush;
  if (!stream) throw environment_error("{}: cannot be written", log_.string());
}

void PartialDownload::discard() {
  std::filesystem::remove(log_);
  std::filesystem::remove(file_.path());
}

void PartialDownload::commit(const std::filesystem::path& target) {
  file_.resize(size_);
  file_.sync();
  std::filesystem::rename(file_.path(), target);
  std::filesystem::remove(log_);
}

}  // namespace plume::cloud
