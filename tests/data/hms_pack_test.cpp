// Tiles labelled by HMS's polygons, up to the shard.
#include <gtest/gtest.h>

#include "../expect_error.hpp"
#include "../scratch_folder.hpp"
#include "data/hms/smoke_folder.hpp"
#include "data/shards/pack.hpp"
#include "data/shards/shard.hpp"
#include "data/sources/folder_source.hpp"
#include "kernels/loss.hpp"
#include "smoke_files.hpp"
#include "tiles.hpp"

namespace plume::tests {
namespace {

using namespace std::chrono_literals;
constexpr data::UtcTime eighth = std::chrono::sys_days(std::chrono::year(2018) / 11 / 8);

TEST(SmokeFolder, TimesInNames) {
  EXPECT_EQ(data::time_of_name("OR_ABI-L1b-RadF-M6_G16_s20183121500209_43_18.tif"), eighth + 15h + 20s);
  EXPECT_EQ(data::time_of_name("a_scene_s2018_s20183121500209"), eighth + 15h + 20s);
  for (const char* none : {"tile", "tile_s2018312150020", "tile_s20183992500209", "tile_s20183121500809"})
    EXPECT_FALSE(data::time_of_name(none)) << none;
}

// Two scenes of two tiles each, 0.24 degrees wide: at 15:00 there is smoke, light over all of the first tile and heavy
// over its western half; of the next day's file nothing is known.
class SmokePack : public ::testing::Test {
 protected:
  void SetUp() override {
    for (int tile = 0; tile < 4; ++tile)
      add_tile(folder_ / "", fmt::format("goes_s2018{}1500000_{}", 312 + tile / 2, tile % 2), tile % 2, 0, 0);
    const data::Ring whole{{-120, 40}, {-119.76, 40}, {-119.76, 39}, {-120, 39}, {-120, 40}};
    const data::Ring half{{-120, 40}, {-119.88, 40}, {-119.88, 39}, {-120, 39}, {-120, 40}};
    std::filesystem::create_directories(folder_ / "hms");
    write_shapefile(folder_ / "hms/hms_smoke20181108.shp",
                    {{.density = "Heavy", .rings = {half}},
                     {.rings = {whole}},
                     {.density = "Medium", .start = "2018312 1800", .end = "2018312 2000", .rings = {whole}}});
  }

  [[nodiscard]] data::Shard pack_by(data::SmokeFolderOptions options) const {
    options.folder = folder_ / "hms";
    data::PackOptions packing;
    packing.output = folder_ / "smoke.h5";
    packing.val = packing.test = 0;
    data::pack(data::FolderSource(folder_ / "tiles", {}, std::make_unique<data::SmokeFolder>(options)), packing);
    return data::Shard(packing.output);
  }

  // The labels of a tile's first row, west and east.
  static std::pair<int, int> ends(const data::Shard& shard, int tile) {
    return {shard.labels(tile)[0], shard.labels(tile)[23]};
  }

  ScratchFolder folder_;
};

TEST_F(SmokePack, BinaryLevelsAndSoft) {
  const int ignored = kernels::ignore_label;
  const auto any = pack_by({});
  EXPECT_EQ(any.info().classes, 1);
  EXPECT_EQ(ends(any, 0), std::pair(1, 1));
  EXPECT_EQ(ends(any, 1), std::pair(0, 0));
  EXPECT_EQ(ends(any, 2), std::pair(ignored, ignored));
  EXPECT_EQ(any.info().mask_file[0], "hms_smoke20181108.shp");
  EXPECT_EQ(any.info().mask_file[2], "");
  EXPECT_EQ(any.info().positive_fraction[0], 1);
  EXPECT_TRUE(any.info().label_target.empty());

  const auto heavy = pack_by({.rule = {.least = data::SmokeDensity::medium}});
  EXPECT_EQ(ends(heavy, 0), std::pair(1, 0));
  EXPECT_EQ(heavy.info().positive_fraction[0], 0.5F);

  const auto levels = pack_by({.rule = {.labels = data::SmokeLabels::levels}});
  EXPECT_EQ(levels.info().classes, 4);
  EXPECT_EQ(ends(levels, 0), std::pair(3, 1));

  const auto soft = pack_by({.rule = {.labels = data::SmokeLabels::soft}});
  EXPECT_EQ(ends(soft, 0), std::pair(3, 1));
  EXPECT_EQ(soft.info().label_target, (std::vector<float>{0, 1.0F / 3, 2.0F / 3, 1}));
}

TEST_F(SmokePack, TimesDecide) {
  const auto later = pack_by({.time = eighth + 19h});
  EXPECT_EQ(ends(later, 0), std::pair(1, 1));
  EXPECT_EQ(ends(later, 2), std::pair(1, 1));  // whatever its name says
  EXPECT_EQ(ends(pack_by({.time = eighth + 17h}), 0), std::pair(0, 0));
  const auto around = pack_by({.time = eighth + 17h, .within = 60min, .rule = {.labels = data::SmokeLabels::levels}});
  EXPECT_EQ(ends(around, 0), std::pair(3, 2));
}

TEST_F(SmokePack, WhatIsMissingIsNamed) {
  add_tile(folder_ / "", "t00", 0, 0, 0);
  expect_input_error([&] { (void)pack_by({}); }, "t00.tif", "no time", "--time");
  std::filesystem::remove_all(folder_ / "tiles");
  add_tile(folder_ / "", "t00", 0, 0, 0, {.pixel_degrees = 0});
  expect_input_error([&] { (void)pack_by({.time = eighth + 15h}); }, "t00.tif", "georeference");
  expect_input_error([&] { (void)pack_by({.time = eighth + 15h + 48h}); }, "no file for the day", "2018-11-10",
                     "t00.tif");
  std::filesystem::remove(folder_ / "hms/hms_smoke20181108.dbf");
  expect_input_error([&] { (void)pack_by({.time = eighth + 15h}); }, "hms_smoke20181108.shp", "without its .dbf");
}

}  // namespace
}  // namespace plume::tests
