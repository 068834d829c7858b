// Checksums once more.
#include "data/verify.hpp"

#include "data/shard_write.hpp"
#include "kernels/base/error.hpp"

namespace plume::data {

std::vector<int> damaged_tiles(const Shard& shard) {
  const auto& info = shard.info();
  if (info.checksum.empty())
    throw input_error("{} has no checksums: it was packed before they were kept; pack the data again",
                      shard.path().string());
  std::vector<int> damaged;
  for (int tile = 0; tile < info.tiles; ++tile) {
    if (tile_checksum(shard.image(tile), shard.labels(tile)) != info.checksum[static_cast<std::size_t>(tile)])
      damaged.push_back(tile);
  }
  return damaged;
}

}  // namespace plume::data
