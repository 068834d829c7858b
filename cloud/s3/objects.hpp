// Many objects at once: listed to the end, and fetched to files, several at a time.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "cloud/s3/client.hpp"

namespace plume::cloud {

// All that a prefix has, page by page. Throws cloud::Error.
[[nodiscard]] std::vector<ListedObject> list_all(S3& s3, const std::string& bucket, const std::string& prefix);

struct ObjectToFile {
  std::string key;
  std::uint64_t size = 0;  // as listed
  std::filesystem::path path;
};

struct DownloadAllOptions {
  std::size_t jobs = 8;
  // Gets the bytes of each file, or part of a large one, that has come, from any thread.
  std::function<void(std::uint64_t bytes)> progress;
  std::function<void()> file_done;  // from any thread, for those that were there too
};

struct DownloadAllResult {
  std::size_t fetched = 0;
  std::size_t at_hand = 0;  // files of the listed size
  std::uint64_t bytes = 0;  // of those fetched
};

// A file that is there with the listed size stays as it is; any other comes whole or not at all, and a failure leaves
// its parts for the next time (download.hpp). Throws as download_file, also where an object has another size than listed.
[[nodiscard]] DownloadAllResult download_all(S3& s3, const std::string& bucket, std::span<const ObjectToFile> objects,
                                             const DownloadAllOptions& options = {});

}  // namespace plume::cloud
