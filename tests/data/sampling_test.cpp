// The order of tiles, crops and turns: exactly once an epoch, the promised shares, and a pure function of its key.
#include "data/loading/sampling.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <set>

#include "../expect_error.hpp"
#include "../scratch_folder.hpp"
#include "data/loading/permutation.hpp"
#include "data/loading/tile_order.hpp"
#include "tiles.hpp"

namespace plume::tests {
namespace {

using data::Sampler;
using data::Sampling;

TEST(Permutation, IsOneAndDependsOnItsKey) {
  for (const std::uint32_t size : {1U, 2U, 3U, 10U, 64U, 65U, 1000U}) {
    const data::Permutation permutation(1, 2, 3, size);
    std::set<std::uint32_t> seen;
    for (std::uint32_t place = 0; place < size; ++place) seen.insert(permutation(place));
    EXPECT_EQ(seen.size(), size);
    EXPECT_LT(*seen.rbegin(), size);
  }
  const auto order = [](std::uint64_t seed, std::uint64_t number) {
    std::vector<std::uint32_t> order;
    for (std::uint32_t i = 0; i < 100; ++i) order.push_back(data::Permutation(seed, 2, number, 100)(i));
    return order;
  };
  EXPECT_EQ(order(1, 0), order(1, 0));
  EXPECT_NE(order(1, 0), order(2, 0));
  EXPECT_NE(order(1, 0), order(1, 1));
}

TEST(Permutation, PlacesAreEven) {
  // Where place 0 of 10 goes, over many permutations: each value about as often.
  std::map<std::uint32_t, int> count;
  for (std::uint64_t number = 0; number < 10000; ++number) ++count[data::Permutation(5, 1, number, 10)(0)];
  for (const auto& [value, times] : count) EXPECT_NEAR(times, 1000, 130) << value;
}

TEST(TileOrder, VisitsAllAndStaysInWindows) {
  for (const std::uint32_t size : {1U, 7U, 64U, 101U}) {
    for (const std::uint32_t window : {1U, 5U, 16U}) {
      std::set<std::vector<std::uint32_t>> orders;
      for (std::uint64_t cycle = 0; cycle < 20; ++cycle) {
        const data::TileOrder order(3, 1, cycle, size, window);
        std::vector<std::uint32_t> tiles;
        for (std::uint32_t place = 0; place < size; ++place) tiles.push_back(order(place));
        orders.insert(tiles);
        for (std::uint32_t first = 0; first < size; first += window) {
          // A window's tiles are neighbours, the last tile being the first one's: the widest gap between them is outside.
          std::set<std::uint32_t> in(tiles.begin() + first, tiles.begin() + std::min(size, first + window));
          std::uint32_t steps = 0;
          for (const std::uint32_t tile : in) steps += in.count((tile + 1) % size) == 0 ? 1 : 0;
          EXPECT_LE(steps, 1U) << size << " in windows of " << window;
        }
        std::sort(tiles.begin(), tiles.end());
        for (std::uint32_t tile = 0; tile < size; ++tile) ASSERT_EQ(tiles[tile], tile);
      }
      EXPECT_EQ(orders.size() == 20, size > 1) << size << " in windows of " << window;
    }
  }
}

TEST(TileOrder, WindowsAsWideAsTheRowAreAPermutation) {
  const data::Permutation permutation(3, 1, 4, 50);
  for (const std::uint32_t window : {0U, 50U, 1000U}) {
    const data::TileOrder order(3, 1, 4, 50, window);
    for (std::uint32_t place = 0; place < 50; ++place) EXPECT_EQ(order(place), permutation(place));
  }
}

TEST(TileOrder, PlacesAreEven) {
  // Where place 0, and the last, which is in a short window, of 10 go, over many cycles.
  for (const std::uint32_t place : {0U, 9U}) {
    std::map<std::uint32_t, int> count;
    for (std::uint64_t cycle = 0; cycle < 10000; ++cycle) ++count[data::TileOrder(5, 1, cycle, 10, 4)(place)];
    for (const auto& [tile, times] : count) EXPECT_NEAR(times, 1000, 130) << tile;
  }
}

class SamplerTest : public ::testing::Test {
 protected:
  static constexpr int tile_count = 23;

  void SetUp() override {
    write_shard(folder_ / "pack.h5", tile_count);
    shard_ = std::make_unique<data::Shard>(folder_ / "pack.h5");
  }

  std::vector<int> epoch_tiles(Sampling sampling, std::int64_t epoch) {
    std::vector<int> tiles;
    for (int rank = 0; rank < sampling.world; ++rank) {
      sampling.rank = rank;
      const Sampler sampler(*shard_, sampling);
      for (std::int64_t batch = 0; batch < sampler.steps_per_epoch(); ++batch) {
        for (const auto& sample : sampler.samples(epoch, batch)) tiles.push_back(sample.tile);
      }
    }
    return tiles;
  }

  ScratchFolder folder_;
  std::unique_ptr<data::Shard> shard_;
};

TEST_F(SamplerTest, EachTileOncePerEpochOverAnyNumberOfRanks) {
  for (const int world : {1, 2, 3}) {
    for (const int batch : {1, 4, 5, 23, 50}) {
      for (const std::int64_t epoch : {0, 1, 1000}) {
        auto tiles = epoch_tiles({.batch = batch, .crop = 8, .seed = 3, .world = world}, epoch);
        std::sort(tiles.begin(), tiles.end());
        ASSERT_EQ(tiles.size(), tile_count);
        for (int i = 0; i < tile_count; ++i) ASSERT_EQ(tiles[static_cast<std::size_t>(i)], i);
      }
    }
  }
}

// A training that goes on with another number of ranks, in the middle of an epoch.
TEST_F(SamplerTest, EachTileOncePerEpochWhereTheNumberOfRanksChanges) {
  constexpr int epochs = 3;
  std::vector<std::vector<int>> seen(epochs, std::vector<int>(tile_count));
  const std::vector<int> worlds{1, 2, 4, 1};
  std::int64_t step = 0;
  for (std::int64_t epoch = 0; epoch < epochs; ++epoch) {
    for (std::int64_t batch = 0; batch < (tile_count + 4) / 5; ++batch, ++step) {
      const int world = worlds[static_cast<std::size_t>(step / 3) % worlds.size()];
      for (int rank = 0; rank < world; ++rank) {
        const Sampler sampler(*shard_, {.batch = 5, .crop = 8, .seed = 3, .rank = rank, .world = world});
        for (const auto& sample : sampler.samples(epoch, batch))
          ++seen[static_cast<std::size_t>(epoch)][static_cast<std::size_t>(sample.tile)];
      }
    }
  }
  for (const auto& epoch : seen) EXPECT_EQ(epoch, std::vector<int>(tile_count, 1));
}

TEST_F(SamplerTest, AWindowedEpochHasEachTileOnce) {
  for (const int world : {1, 3}) {
    auto tiles = epoch_tiles({.batch = 4, .seed = 3, .world = world, .shuffle_window = 5}, 2);
    std::sort(tiles.begin(), tiles.end());
    ASSERT_EQ(tiles.size(), tile_count);
    for (int i = 0; i < tile_count; ++i) ASSERT_EQ(tiles[static_cast<std::size_t>(i)], i);
  }
  EXPECT_EQ(epoch_tiles({.batch = 4, .seed = 1, .shuffle_window = 23}, 0), epoch_tiles({.batch = 4, .seed = 1}, 0));
}

TEST_F(SamplerTest, RanksTakeSlicesOfTheSameBatch) {
  const Sampler whole(*shard_, {.batch = 7, .crop = 8, .flip = true, .class_share = 0.4F, .world = 1});
  for (std::int64_t batch = 0; batch < whole.steps_per_epoch(); ++batch) {
    std::vector<data::Sample> joined;
    for (int rank = 0; rank < 3; ++rank) {
      const Sampler part(*shard_, {.batch = 7, .crop = 8, .flip = true, .class_share = 0.4F, .rank = rank, .world = 3});
      for (const auto& sample : part.samples(2, batch)) joined.push_back(sample);
    }
    EXPECT_EQ(joined, whole.samples(2, batch));
  }
}

TEST_F(SamplerTest, EpochsAndSeedsDiffer) {
  EXPECT_NE(epoch_tiles({.batch = 4, .seed = 1}, 0), epoch_tiles({.batch = 4, .seed = 1}, 1));
  EXPECT_NE(epoch_tiles({.batch = 4, .seed = 1}, 0), epoch_tiles({.batch = 4, .seed = 2}, 0));
  EXPECT_EQ(epoch_tiles({.batch = 4, .seed = 1}, 0), epoch_tiles({.batch = 5, .seed = 1}, 0));
  auto plain = epoch_tiles({.batch = 4, .shuffle = false}, 3);
  EXPECT_TRUE(std::is_sorted(plain.begin(), plain.end()));
}

TEST_F(SamplerTest, ClassSlotsHoldTheClass) {
  const Sampler sampler(*shard_, {.batch = 6, .crop = 5, .class_share = 0.5F, .seed = 9});
  EXPECT_EQ(sampler.steps_per_epoch(), 4);
  std::map<int, int> positive;
  std::map<int, int> others;
  for (std::int64_t epoch = 0; epoch < 40; ++epoch) {
    for (std::int64_t batch = 0; batch < 4; ++batch) {
      const auto samples = sampler.samples(epoch, batch);
      ASSERT_EQ(samples.size(), 6U);
      for (std::size_t slot = 0; slot < 6; ++slot) {
        const auto& sample = samples[slot];
        ++(slot < 3 ? positive : others)[sample.tile];
        ASSERT_GE(sample.window.row, 0);
        ASSERT_GE(sample.window.column, 0);
        ASSERT_LE(sample.window.row + 5, 24);
        ASSERT_LE(sample.window.column + 5, 24);
        if (slot >= 3) continue;
        std::vector<std::uint8_t> labels(25);
        shard_->read_labels(sample.tile, sample.window, labels.data());
        EXPECT_GT(std::count(labels.begin(), labels.end(), 1), 0);
      }
    }
  }
  // 480 class slots cycle over 8 tiles, 480 others over 23: counts differ by one at most.
  EXPECT_EQ(positive.size(), 8U);
  for (const auto& [tile, count] : positive) EXPECT_EQ(count, 60) << tile;
  EXPECT_EQ(others.size(), 23U);
  for (const auto& [tile, count] : others) EXPECT_NEAR(count, 480 / 23, 1) << tile;
}

TEST_F(SamplerTest, ASmallShareIsAtLeastOneImage) {
  // 0.05 * 8 rounds to none.
  for (const int batch : {1, 8}) {
    const Sampler sampler(*shard_, {.batch = batch, .class_share = 0.05F});
    for (std::int64_t step = 0; step < sampler.steps_per_epoch(); ++step)
      EXPECT_GT(shard_->foreground_fraction(sampler.samples(0, step)[0].tile), 0);
  }
}

TEST_F(SamplerTest, CropsAndTurnsAreEven) {
  const Sampler sampler(*shard_, {.batch = 23, .crop = 23, .flip = true, .rotate = true});
  std::map<std::array<int, 5>, int> count;
  for (std::int64_t epoch = 0; epoch < 500; ++epoch) {
    for (const auto& sample : sampler.samples(epoch, 0))
      ++count[{sample.window.row, sample.window.column, sample.transpose, sample.flip_rows, sample.flip_columns}];
  }
  EXPECT_EQ(count.size(), 32U);  // 4 places, 8 orientations
  for (const auto& [key, times] : count) EXPECT_NEAR(times, 11500 / 32, 90);

  // Turns alone never mirror: a transpose comes with exactly one mirror, no transpose with none or two.
  const Sampler turning(*shard_, {.batch = 23, .rotate = true});
  std::set<std::array<bool, 3>> turns;
  for (std::int64_t epoch = 0; epoch < 20; ++epoch) {
    for (const auto& sample : turning.samples(epoch, 0)) {
      turns.insert({sample.transpose, sample.flip_rows, sample.flip_columns});
      EXPECT_EQ(sample.transpose, sample.flip_rows != sample.flip_columns);
    }
  }
  EXPECT_EQ(turns.size(), 4U);
}

TEST_F(SamplerTest, WrongOptionsAreRefused) {
  for (const auto& bad :
       {Sampling{.batch = 0}, Sampling{.crop = 25}, Sampling{.crop = -1}, Sampling{.class_share = 1.5F},
        Sampling{.rank = 1}, Sampling{.world = 0}, Sampling{.shuffle_window = -1}, Sampling{.augment = {.noise = -1}}})
    expect_error(ErrorKind::usage, [&] { const Sampler sampler(*shard_, bad); });
  expect_input_error([&] { const Sampler sampler(*shard_, {.split = data::Split::val}); }, "pack.h5", "val");
  expect_input_error([&] { const Sampler sampler(*shard_, {.class_share = 0.5F, .class_threshold = 0.9F}); }, "0.9",
                     "class_threshold");
}

}  // namespace
}  // namespace plume::tests
