// A file to S3: small ones by one request, others in parts, several at a time.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>

#include "cloud/s3/client.hpp"

namespace plume::cloud {

struct UploadOptions {
  PutOptions put;
  std::uint64_t part_size = 0;  // bytes, at least 5 MiB; 0: 16 MiB, and more where there would be over 10,000 parts
  std::uint64_t single_up_to = 16ULL << 20;
  std::size_t jobs = 8;
  // Goes on with an upload of this key that was broken off: parts that are there and have the file's bytes stay. A
  // failure leaves what is there for the next time; all other uploads of the key are removed at the end.
  bool resume = false;
  // Gets the bytes of each part that has arrived, from any thread; empty: nobody listens.
  std::function<void(std::uint64_t)> progress;
};

struct UploadResult {
  std::uint64_t size = 0;
  std::string etag;
  std::size_t parts = 1;
  std::size_t parts_found = 0;  // of an upload before
};

// Without resume a failed upload leaves nothing behind, nor does one that a user cancels.
// Throws cloud::Error; input_error where the file cannot be read.
UploadResult upload_file(S3& s3, const std::filesystem::path& path, const ObjectName& name,
                         const UploadOptions& options = {});

// How a file is cut.
struct PartPlan {
  std::uint64_t part_size = 0;
  std::size_t count = 0;
};
// Throws cloud::Error (usage) where S3 takes no parts of that size, or no object of that size.
[[nodiscard]] PartPlan plan_parts(std::uint64_t size, std::uint64_t part_size);

}  // namespace plume::cloud
