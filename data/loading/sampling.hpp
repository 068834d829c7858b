// Which tiles, crops and flips make up a batch: pure functions of (seed, epoch, global batch, slot).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "data/loading/augmentation.hpp"
#include "data/shards/shard.hpp"
#include "data/shards/split.hpp"
#include "kernels/base/philox.hpp"

namespace plume::data {

struct Sampling {
  Split split = Split::train;
  int batch = 8;                   // images of one global batch, over all ranks
  int crop = 0;                    // edge of a square random crop in pixels; 0: the whole tile
  bool flip = false;               // mirror rows and columns, each with probability 1/2
  bool rotate = false;             // quarter turns, uniformly; needs square crops or tiles
  float class_share = 0;           // share of each batch drawn from tiles that hold a class; above 0 at least one image
  float class_threshold = 0.005F;  // such a tile's foreground_fraction is at least this
  std::uint64_t seed = 0;
  int rank = 0;
  int world = 1;
  bool shuffle = true;     // false: tiles in the shard's order
  int shuffle_window = 0;  // shuffle among so many neighbours of the shard's order at a time; 0: among all
  AugmentSettings augment{};
};

// Of what is read for a sample, the pixels above or not above `row`, and left or not left of `column`, are from four
// tiles, each at the same place of its own.
struct Mosaic {
  std::array<int, 4> tiles{};  // above left, above right, below left, below right
  int row = 0;
  int column = 0;
  bool operator==(const Mosaic&) const = default;
};

// One image of a batch. The crop is transposed, then its rows, then its columns are mirrored.
struct Sample {
  int tile = 0;
  Window window;  // the crop
  std::optional<Mosaic> mosaic;
  Window read;  // what is read of the tile: the crop, and around it what augmentation may bring in
  bool transpose = false;
  bool flip_rows = false;
  bool flip_columns = false;
  std::int64_t step = 0;  // the global batch, counted over the epochs
  int slot = 0;           // in it, over all ranks
  bool operator==(const Sample&) const = default;
};

// With class_share 0 an epoch is a seeded permutation of the split's N tiles: each exactly once, the last batch short.
// With class_share > 0 every batch is full and an epoch has ceil(N / batch) of them: the first
// max(1, round(share * batch)) slots run through permutations of the tiles that hold a class, cycle after cycle over
// the epochs, the other slots through permutations of all tiles. With a shuffle_window the permutations are TileOrder's.
// A crop lies uniformly among all positions; in a class slot a pixel of a class is drawn first and the crop lies uniformly
// among the positions that contain it.
// A mosaic has the sample's tile in one of its quarters, and in the others those of the three slots that follow, which
// shuffle_window keeps near; its parts meet in the middle half of the crop. The pixel of a class slot may thus be in a
// quarter that another tile takes.
// Of a global batch of M images rank r takes slots [M * r / world, M * (r + 1) / world), possibly none of a last batch.
class Sampler {
 public:
  // Throws usage_error for values out of range, a crop larger than the tiles, rotation of oblong tiles; input_error
  // for a split without tiles, or a class_share > 0 where no tile of the split holds a class.
  Sampler(const Shard& shard, const Sampling& sampling);

  [[nodiscard]] std::int64_t steps_per_epoch() const noexcept { return steps_; }
  [[nodiscard]] const Sampling& sampling() const noexcept { return sampling_; }
  // Of Sample::read, the same for all samples.
  [[nodiscard]] int read_height() const noexcept { return read_height_; }
  [[nodiscard]] int read_width() const noexcept { return read_width_; }

  // Of a global batch, over all ranks.
  [[nodiscard]] int images(std::int64_t batch) const;
  // This rank's samples of a global batch, 0 <= batch < steps_per_epoch(). Thread-safe.
  [[nodiscard]] std::vector<Sample> samples(std::int64_t epoch, std::int64_t batch) const;

 private:
  [[nodiscard]] Sample sample(std::int64_t epoch, std::int64_t batch, int slot) const;
  [[nodiscard]] Mosaic mosaic(const Sample& sample, Philox& draw, std::int64_t epoch, std::int64_t batch) const;
  [[nodiscard]] int tile_at(std::int64_t epoch, std::int64_t batch, int slot) const;

  const Shard* shard_;
  Sampling sampling_;
  std::vector<int> tiles_;     // of the split
  std::vector<int> positive_;  // those that hold a class
  int class_slots_ = 0;
  int margin_ = 0;  // pixels around a crop that augmentation may bring in
  int read_height_ = 0;
  int read_width_ = 0;
  std::int64_t steps_ = 0;
};

}  // namespace plume::data
