// A shard with labels that were not packed into it.
#pragma once

#include <hdf5.h>

#include <filesystem>

#include "data/shards/shard.hpp"
#include "scratch_folder.hpp"

namespace plume::tests {

// Overwrites labels of a tile, from the pixel `first` on.
inline void overwrite_labels(const std::filesystem::path& path, int tile, std::size_t first, std::size_t count,
                             char label) {
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
  bytes.replace(offset + static_cast<std::size_t>(tile) * pixels + first, count, count, label);
  write_file(path, bytes);
}

// Sets the fourth label of a tile to 77.
inline void spoil_label(const std::filesystem::path& path, int tile) {
  overwrite_labels(path, tile, 3, 1, 77);
}

}  // namespace plume::tests
