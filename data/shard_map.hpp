// A picture of a shard for people: where its tiles lie, what they show and which split they are of.
#pragma once

#include <filesystem>

#include "data/shard.hpp"

namespace plume::data {

// A PNG of at most 2048 pixels a side. Tiles lie where their georeferences say, or side by side in their order where
// one has none or another projection than the first. Each shows its first band in grey, labels from 1 up in red, ignored
// pixels dark, and a frame: blue for train, yellow for val, green for test. Throws environment_error naming the path.
void write_shard_map(const Shard& shard, const std::filesystem::path& path);

}  // namespace plume::data
