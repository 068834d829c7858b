// Whether a shard still holds what was packed.
#pragma once

#include <vector>

#include "data/shards/shard.hpp"

namespace plume::data {

// The tiles whose pixels or labels no longer have the checksum that was written with them, ascending. (HDF5 checks the
// tables by checksums of its own, which an opened shard has passed.) Throws input_error for a shard of format 1, which has none.
[[nodiscard]] std::vector<int> damaged_tiles(const Shard& shard);

}  // namespace plume::data
