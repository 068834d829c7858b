// A shard with a label that is no class.
#pragma once

#include <hdf5.h>

#include <filesystem>

#include "data/shards/shard.hpp"
#include "scratch_folder.hpp"

namespace plume::tests {

// Sets the fourth label of a tile to 77.
inline void spoil_label(const std::filesystem::path& path, int tile) {
  std::size_t pixels = 0;
  {
    const data::Shard shard(path);
    pixels = shard.labels(tile).size();
  }
  const auto file = H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT);
  const auto labels = H5Dopen2(file, "labels", H5P_DEFAULT);
  const auto offset = static_cast<std::size_t>(H5Dget_offset(labels));
  H5Dclose(labels);
  H5Fclose(file);
  auto bytes = read_file(path);
  bytes[offset + static_cast<std::size_t>(tile) * pixels + 3] = 77;
  write_file(path, bytes);
}

}  // namespace plume::tests
