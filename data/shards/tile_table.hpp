// What a shard says of each tile, gathered from tiles and joined from tables.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "data/shards/shard.hpp"
#include "data/sources/tile_source.hpp"

namespace plume::data {

// The shape and classes of a source, and no tile yet; values are stored as they are.
[[nodiscard]] ShardInfo empty_info(const TileSource& source);

// Appends a tile to info's tables, as training data; whoever knows the split sets it later.
void append_tile(ShardInfo& info, const std::string& name, const TileOrigin& origin, const LabelledTile& tile);

// Appends all tiles of `more`.
void append_tables(ShardInfo& info, const ShardInfo& more);

// info's mean and std from its tiles' moments in their order, which is the same however tiles lie in files; 0 and 1
// where no training tile has a pixel that counts. Returns whether one has.
bool normalise_by_training_tiles(ShardInfo& info);

// The images (of a satellite's tiles: scenes) none of whose tiles has a valid pixel, sorted.
[[nodiscard]] std::vector<std::string> unmeasured_images(const ShardInfo& info);

}  // namespace plume::data
