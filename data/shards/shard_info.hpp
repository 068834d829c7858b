// A shard's metadata and where its pixels lie, read through HDF5 with everything checked.
#pragma once

#include <cstdint>
#include <filesystem>

#include "data/shards/shard.hpp"

namespace plume::data {

struct ShardLayout {
  ShardInfo info;
  std::uint64_t images_offset = 0;  // from the start of the file, in bytes
  std::uint64_t labels_offset = 0;
  std::uint64_t file_bytes = 0;  // both datasets end within it
};

// Throws input_error naming the file and what is wrong (see Shard).
[[nodiscard]] ShardLayout read_shard_layout(const std::filesystem::path& path);

}  // namespace plume::data
