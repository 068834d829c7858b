// The first range tells the size; the others follow at once, each only of the same object.
#include "cloud/s3/download.hpp"

#include <algorithm>

#include "cloud/s3/parallel.hpp"
#include "cloud/s3/partial_download.hpp"
#include "cloud/s3/range_sink.hpp"

namespace plume::cloud {
namespace {

class RangesDownload {
 public:
  RangesDownload(S3& s3, const ObjectName& name, const std::filesystem::path& path, const DownloadOptions& options)
      : s3_(s3),
        name_(name),
        path_(path),
        options_(options),
        what_("GetObject " + name.text()),
        partial_(path, options.part_size, options.resume) {}

  DownloadResult run() {
    constexpr int most_tries = 3;
    try {
      for (int tries = 1;; ++tries) {
        DownloadResult result = get_all();
        if (!result.verified && !said_all_ && differs(tries == most_tries)) {
          partial_.begin({}, 0);
          continue;
        }
        result.verified = result.verified || compared_;
        partial_.commit(path_);
        return result;
      }
    } catch (...) {
      if (!options_.resume) partial_.discard();
      throw;
    }
  }

 private:
  DownloadResult get_all() {
    DownloadResult result;
    result.parts_found = partial_.parts();
    if (!partial_.etag().empty() && !still_the_same()) result.parts_found = 0;
    if (partial_.etag().empty() && !get_first(result)) return result;  // an empty object
    result.size = partial_.size();
    result.etag = partial_.etag();
    if (options_.size && result.size != *options_.size)
      throw cloud_error(Failure::conflict, "{}: has {} bytes, but was listed with {}: it has changed; try again", what_,
                        result.size, *options_.size);
    const std::uint64_t parts = (partial_.size() + options_.part_size - 1) / options_.part_size;
    run_parallel(static_cast<std::size_t>(parts), options_.jobs, [&](std::size_t part) {
      if (!partial_.find(part)) get_part(part);
    });
    return result;
  }

  // Whether the object is what an earlier download has begun.
  bool still_the_same() {
    if (s3_.head(name_).etag == partial_.etag()) return true;
    partial_.begin({}, 0);
    return false;
  }

  // False: there is nothing to get.
  bool get_first(DownloadResult& result) {
    RangeSink sink(what_, partial_.file(), 0, options_.part_size - 1);
    const bool by_one_request = options_.size && *options_.size <= options_.part_size;
    try {
      const auto range = by_one_request ? std::nullopt : std::optional(S3::Range{0, options_.part_size - 1});
      static_cast<void>(s3_.get(name_, sink, range));
    } catch (const Error& error) {
      if (error.code() != "InvalidRange") throw;
      const ObjectInfo info = s3_.head(name_);
      if (info.size != 0) throw;
      partial_.begin(info.etag, 0);
      result.etag = info.etag;
      result.verified = true;
      return false;
    }
    result.verified = sink.verified();
    said_all_ = by_one_request;
    partial_.begin(sink.etag(), sink.total());
    if (sink.size() == sink.total() && sink.total() > options_.part_size) {  // by a server that knows no ranges
      for (std::size_t part = 0; part * options_.part_size < sink.total(); ++part) {
        const std::uint64_t offset = part * options_.part_size;
        add(part, range_crc32c(partial_.file(), offset, std::min(options_.part_size, sink.total() - offset)));
      }
    } else {
      add(0, sink.crc32c());
    }
    return true;
  }

  void get_part(std::size_t part) {
    const std::uint64_t first = part * options_.part_size;
    const std::uint64_t last = std::min(first + options_.part_size, partial_.size()) - 1;
    RangeSink sink(what_, partial_.file(), first, last);
    static_cast<void>(s3_.get(name_, sink, S3::Range{first, last}, partial_.etag()));
    if (sink.etag() != partial_.etag() || sink.total() != partial_.size())
      throw cloud_error(Failure::conflict, "{}: the object has changed while it was read", what_);
    add(part, sink.crc32c());
  }

  void add(std::size_t part, std::uint32_t crc32c) {
    partial_.add(part, crc32c);
    if (options_.progress) options_.progress(std::min(options_.part_size, partial_.size() - part * options_.part_size));
  }

  // Whether what came is not what the object's checksum, where it has one, says; the last time that is an error.
  bool differs(bool last_time) {
    if (!s3_.settings().validate_when_supported) return false;
    const auto expected = s3_.head(name_).checksum;
    if (!expected) return false;
    compared_ = true;
    const std::string found = expected->kind == ChecksumKind::crc32c
                                  ? whole_crc32c()
                                  : file_checksum(partial_.file(), partial_.size(), expected->kind);
    if (found == expected->value) return false;
    if (!last_time) return true;
    partial_.discard();  // not worth going on with
    throw cloud_error(Failure::failed, "{}: {} of what came is {}, of the object {}", what_, name_of(expected->kind),
                      found, expected->value);
  }

  // From the parts' own.
  std::string whole_crc32c() {
    std::uint64_t whole = 0;
    for (std::size_t part = 0; part * options_.part_size < partial_.size(); ++part)
      whole = combine(ChecksumKind::crc32c, whole, *partial_.find(part),
                      std::min(options_.part_size, partial_.size() - part * options_.part_size));
    return text_of(ChecksumKind::crc32c, whole);
  }

  S3& s3_;
  const ObjectName& name_;
  const std::filesystem::path& path_;
  const DownloadOptions& options_;
  std::string what_;
  PartialDownload partial_;
  bool said_all_ = false;  // the reply was of the whole object, so that nobody knows more of it
  bool compared_ = false;  // with the object's checksum
};

}  // namespace

DownloadResult download_file(S3& s3, const ObjectName& name, const std::filesystem::path& path,
                             const DownloadOptions& options) {
  return RangesDownload(s3, name, path, options).run();
}

}  // namespace plume::cloud
