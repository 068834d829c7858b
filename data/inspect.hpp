// What a shard holds, in numbers.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "data/shard.hpp"

namespace plume::data {

inline constexpr int histogram_bins = 32;

struct SplitSummary {
  int tiles = 0;
  int positive_tiles = 0;           // with any label from 1 up
  std::int64_t pixels = 0;          // that are not ignored
  std::int64_t ignored = 0;         // pixels
  std::vector<double> class_share;  // [labels] of pixels, from background up: two where classes is 1
};

struct BandSummary {
  float least = 0;  // of the values that are not ignored; both 0 where all are
  float most = 0;
  std::array<std::int64_t, histogram_bins> count{};  // of equal widths from least to most
};

struct ShardSummary {
  std::array<SplitSummary, 3> split;       // train, val, test
  std::vector<BandSummary> band;           // over all splits
  std::vector<std::string> image_sources;  // distinct files, sorted
  std::vector<std::string> label_sources;
};

// Reads every pixel twice. Throws input_error naming the tile for NaN, infinity or a label that is no class.
[[nodiscard]] ShardSummary summarise(const Shard& shard);

}  // namespace plume::data
