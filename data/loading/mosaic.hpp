// Images put together from four tiles. Source: Bochkovskiy et al., "YOLOv4", 2020 (without its scaling of the parts).
#pragma once

#include <cstddef>
#include <cstdint>

#include "data/loading/sampling.hpp"
#include "data/shards/shard.hpp"

namespace plume::data {

// What is read for a sample that has a mosaic: pixels [read.height, read.width, bands] as stored, labels alike. Throws
// as Shard::read_raw and read_labels.
void read_mosaic(const Shard& shard, const Sample& sample, std::byte* pixels, std::uint8_t* labels);

}  // namespace plume::data
