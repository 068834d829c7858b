// Numbers and picture of a shard against a plain count of its files.
#include "data/shards/inspect.hpp"

#include <gtest/gtest.h>

#include <numeric>

#include "../scratch_folder.hpp"
#include "data/formats/raster_read.hpp"
#include "data/images/png.hpp"
#include "data/shards/shard_map.hpp"
#include "kernels/loss.hpp"
#include "tiles.hpp"

namespace plume::tests {
namespace {

class Inspect : public ::testing::Test {
 protected:
  // Tiles in a row, every third with 36 pixels of the class, one transparent in its first row.
  void SetUp() override {
    add_tiles(folder_ / "", 6, {.pixel_degrees = 0.01});
    std::string csv = "tile,split\n";
    for (int i = 0; i < 6; ++i) csv += fmt::format("t{:02},{}\n", i, i < 3 ? "train" : i == 3 ? "val" : "test");
    write_file(folder_ / "split.csv", csv);
    auto mask = std::vector<std::uint8_t>(24 * 24);
    std::fill_n(mask.begin(), 24, std::uint8_t{9});
    data::write_png(folder_ / "masks/t05.png", {24, 24, 1}, mask);
    auto options = pack_options(folder_ / "");
    options.rule.ignore = 9;
    options.split_csv = folder_ / "split.csv";
    pack(options);
  }
  ScratchFolder folder_;
};

TEST_F(Inspect, CountsSharesAndHistograms) {
  const data::Shard shard(folder_ / "pack.h5");
  const auto summary = data::summarise(shard);
  EXPECT_EQ(summary.split[0].tiles, 3);
  EXPECT_EQ(summary.split[0].positive_tiles, 1);
  EXPECT_EQ(summary.split[0].pixels, 3 * 576);
  EXPECT_DOUBLE_EQ(summary.split[0].class_share[1], 36.0 / (3 * 576));
  EXPECT_DOUBLE_EQ(summary.split[1].class_share[0], 1 - 36.0 / 576);
  EXPECT_EQ(summary.split[2].tiles, 2);
  EXPECT_EQ(summary.split[2].ignored, 24);
  EXPECT_EQ(summary.split[2].pixels, 2 * 576 - 24);
  ASSERT_EQ(summary.band.size(), 3U);
  std::array<std::int64_t, data::histogram_bins> expected{};
  for (int tile = 0; tile < 6; ++tile) {
    for (std::size_t pixel = 0; pixel < 576; ++pixel) {
      if (shard.labels(tile)[pixel] == kernels::ignore_label) continue;
      const auto value = static_cast<float>(shard.image(tile)[pixel * 3 + 1]);
      const auto& band = summary.band[1];
      ASSERT_GE(value, band.least);
      ASSERT_LE(value, band.most);
      int bin = 0;
      while (bin + 1 < data::histogram_bins &&
             (value - band.least) / (band.most - band.least) >= static_cast<float>(bin + 1) / data::histogram_bins)
        ++bin;
      ++expected[static_cast<std::size_t>(bin)];
    }
  }
  EXPECT_EQ(summary.band[1].count, expected);
  EXPECT_EQ(summary.image_sources.size(), 6U);
  EXPECT_EQ(summary.label_sources[5], "t05.png");
}

TEST_F(Inspect, TheMapShowsTilesWhereTheyLie) {
  const data::Shard shard(folder_ / "pack.h5");
  data::write_shard_map(shard, folder_ / "map.png");
  const auto map = data::read_raster(folder_ / "map.png");
  // Six tiles side by side, as wide as high, at the largest size of a tile.
  EXPECT_EQ(map.height, 128);
  EXPECT_EQ(map.width, 6 * 128);
  const auto pixel = [&](int row, int column) {
    const auto* at = map.pixels.data() + (row * map.width + column) * 3;
    return std::array{at[0], at[1], at[2]};
  };
  EXPECT_EQ(pixel(0, 5), (std::array{70.0F, 130.0F, 255.0F}));           // t00 trains
  EXPECT_EQ(pixel(0, 3 * 128 + 5), (std::array{255.0F, 210.0F, 0.0F}));  // t03 validates
  EXPECT_EQ(pixel(0, 5 * 128 + 5), (std::array{60.0F, 200.0F, 90.0F}));  // t05 tests
  // The square of the class: rows 2 to 7, columns 3 to 8 of 24.
  const auto smoke = pixel(128 * 5 / 24, 128 * 5 / 24);
  EXPECT_GE(smoke[0], 127);
  EXPECT_LE(smoke[1], 127);
  const auto clear = pixel(64, 128 + 64);
  EXPECT_EQ(clear[0], clear[1]);
}

TEST(InspectMap, TilesWithoutAPlaceLieSideBySide) {
  const ScratchFolder folder;
  write_shard(folder / "a.h5", 7);
  data::write_shard_map(data::Shard(folder / "a.h5"), folder / "map.png");
  const auto map = data::read_raster(folder / "map.png");
  EXPECT_EQ(map.width, 3 * 128);
  EXPECT_EQ(map.height, 3 * 128);
  EXPECT_EQ(std::accumulate(map.pixels.end() - 128 * 3, map.pixels.end(), 0.0F), 0);  // the ninth place is empty
}

}  // namespace
}  // namespace plume::tests
