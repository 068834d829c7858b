// An object to a file: in ranges, several at a time, and whole under its name or not at all.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>

#include "cloud/s3/client.hpp"

namespace plume::cloud {

struct DownloadOptions {
  std::uint64_t part_size = 16ULL << 20;  // bytes
  std::size_t jobs = 8;
  // Goes on with what an earlier download to this file left, where the object is still the same; a failure leaves what
  // has come for the next time.
  bool resume = false;
  std::optional<std::uint64_t> size;            // bytes, where a listing has told; of another size it is another object
  std::function<void(std::uint64_t)> progress;  // gets the bytes of each part that has come, from any thread
};

struct DownloadResult {
  std::uint64_t size = 0;
  std::string etag;
  bool verified = false;        // against the object's checksum; servers need not keep one
  std::size_t parts_found = 0;  // of a download before
};

// Until all is there, "<file>.plume-part" holds what has come and "<file>.plume-part.log" says what that is.
// What differs from the object's checksum is fetched anew, twice at most.
// Throws cloud::Error; of kind conflict where the object changes meanwhile. environment_error where the file cannot be
// written.
DownloadResult download_file(S3& s3, const ObjectName& name, const std::filesystem::path& path,
                             const DownloadOptions& options = {});

}  // namespace plume::cloud
