// Scenes among files, and their bands on one grid.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "../expect_error.hpp"
#include "../real_data.hpp"
#include "../scratch_folder.hpp"
#include "data/abi/scaling.hpp"
#include "data/abi/scene.hpp"
#include "data/abi/scene_reader.hpp"
#include "small_granule.hpp"

namespace plume::tests {
namespace {

using data::abi::find_scenes;
using data::abi::Scaling;
using data::abi::SceneReader;
using Paths = std::vector<std::filesystem::path>;

TEST(AbiScene, FilesAreGroupedByStart) {
  const Paths files{small_name(3, "20193002000276"), small_name(1, "20193002001275"), small_name(1, "20193002000275"),
                    small_name(7, "20193002000290")};
  const auto scenes = find_scenes(files);
  ASSERT_EQ(scenes.size(), 2U);
  EXPECT_EQ(scenes[0].text(), "G17 M1 2019-10-27T20:00:27.5Z");
  EXPECT_EQ(scenes[0].stem(), "OR_ABI-L1b-RadM1-M6_G17_s20193002000275");
  EXPECT_EQ(scenes[0].bands, (std::map<int, std::filesystem::path>{{1, files[2]}, {3, files[0]}, {7, files[3]}}));
  EXPECT_EQ(scenes[1].text(), "G17 M1 2019-10-27T20:01:27.5Z");
}

TEST(AbiScene, SatellitesAndSectorsAreKeptApart) {
  const std::string name = small_name(1);
  std::string east = name;
  east.replace(east.find("G17"), 3, "G16");
  std::string other = name;
  other.replace(other.find("M1"), 2, "M2");
  EXPECT_EQ(find_scenes(Paths{name, east, other}).size(), 3U);
}

TEST(AbiScene, ABandThatIsMissingIsNamed) {
  const auto scenes = find_scenes(Paths{small_name(1), small_name(3), small_name(5)});
  data::abi::require_bands(scenes, std::array{5, 1});
  expect_input_error(
      [&] {
        data::abi::require_bands(scenes, std::array{1, 2, 3, 4});
      },
      "G17 M1 2019-10-27T20:00:27.5Z lacks C02, C04; it has C01, C03, C05");
}

TEST(AbiScene, BandsOfDifferentTimesAreRefused) {
  const auto scenes = find_scenes(Paths{small_name(1, "20193002000275"), small_name(3, "20193002001275")});
  expect_input_error(
      [&] {
        data::abi::require_bands(scenes, std::array{1, 3});
      },
      "lacks C03", "C03 is there of 2019-10-27T20:01:27.5Z, but bands of different times are no scene");
}

TEST(AbiScene, WhatIsThereTwiceIsRefused) {
  const Paths files{std::filesystem::path("a") / small_name(1), std::filesystem::path("b") / small_name(1)};
  expect_input_error([&] { (void)find_scenes(files); }, "a/OR_ABI", "b/OR_ABI", "keep one");
}

TEST(AbiScene, AProductWithoutChannelsIsNoBand) {
  const Paths files{"OR_ABI-L2-FDCC-M6_G17_s20193002001196_e20193002003569_c20193002004132.nc"};
  expect_input_error([&] { (void)find_scenes(files); }, "is no band of a scene");
}

// Two bands of a small scene: C01 of 1 km, and one of 2 km whose four pixels each hold four of C01's.
class AbiSceneReader : public testing::Test {
 protected:
  static SmallGranule band(int channel, int pixels, double step) {
    SmallGranule granule;
    granule.channel = channel;
    granule.grid.x = {.first = 0.02464 + step / 2, .step = step, .count = pixels};
    granule.grid.y = {.first = 0.11536 - step / 2, .step = -step, .count = pixels};
    granule.pixels.assign(static_cast<std::size_t>(pixels * pixels), 300);
    return granule;
  }
  void add(const SmallGranule& granule, const std::string& start = "20193002000275") {
    files_.push_back(folder_ / small_name(granule.channel, start));
    write_granule(files_.back(), granule);
  }
  data::Raster read(const data::abi::SceneOptions& options) {
    const SceneReader reader(find_scenes(files_).at(0), options);
    return reader.read(data::geo::grid_of(reader.image()));
  }

  ScratchFolder folder_;
  Paths files_;
};

TEST_F(AbiSceneReader, GivesBytesAndKelvins) {
  add(band(1, 8, 28e-6));
  SmallGranule thermal = band(7, 4, 56e-6);
  thermal.pixels[0] = 400;
  add(thermal);
  const auto raster = read({.channels = {7, 1}});
  EXPECT_EQ(raster.height, 4);  // the first channel's pixels
  EXPECT_EQ(raster.bands, 2);
  EXPECT_EQ(raster.stored, DType::f32);
  EXPECT_TRUE(raster.valid.empty());
  EXPECT_TRUE(raster.georeference.present());
  const double reflectance = (300 * double{0.8F} - 25) * double{0.0015F};
  EXPECT_EQ(raster.pixels[1], data::abi::byte_of_reflectance(reflectance));
  EXPECT_GT(raster.pixels[0], raster.pixels[30]);
  const auto physical = read({.channels = {1}, .scaling = Scaling::physical});
  EXPECT_NEAR(physical.pixels[0], reflectance, 1e-6);
  EXPECT_EQ(read({.channels = {1}}).stored, DType::u8);
}

TEST_F(AbiSceneReader, APixelThatOneBandLacksIsNotValid) {
  SmallGranule coarse = band(6, 4, 56e-6);
  coarse.pixels[5] = coarse.fill;
  add(band(1, 8, 28e-6));
  add(coarse);
  const auto raster = read({.channels = {1, 6}});
  ASSERT_EQ(raster.valid.size(), 64U);
  for (std::size_t i = 0; i < 64; ++i) {
    const bool within = i / 8 / 2 == 1 && i % 8 / 2 == 1;  // the second row and column of four
    EXPECT_EQ(raster.valid[i] == 0, within) << i;
    EXPECT_EQ(raster.pixels[2 * i] == 0, within) << i;
  }
}

// Halfway through the scan the sun stood 56.28 degrees from the zenith, says pyorbital 1.13.0.
TEST_F(AbiSceneReader, NightIsNotValid) {
  add(band(1, 8, 28e-6));
  EXPECT_TRUE(read({.channels = {1}, .max_sun_zenith = 56.4}).valid.empty());
  const auto dusk = read({.channels = {1}, .max_sun_zenith = 56.0});
  EXPECT_EQ(std::count(dusk.valid.begin(), dusk.valid.end(), 0), 64);
}

TEST_F(AbiSceneReader, DividesByTheSunsCosine) {
  add(band(1, 8, 28e-6));
  const auto plain = read({.channels = {1}, .scaling = Scaling::physical});
  const auto divided = read({.channels = {1}, .scaling = Scaling::physical, .divide_by_sun = true});
  EXPECT_NEAR(plain.pixels[0] / divided.pixels[0], std::cos(56.2785 / 180 * std::numbers::pi), 1e-4);
}

TEST_F(AbiSceneReader, ManyGridsAreAsEachAlone) {
  SmallGranule granule = band(1, 64, 28e-6);
  for (std::size_t i = 0; i < granule.pixels.size(); ++i) granule.pixels[i] = static_cast<std::uint16_t>(100 + i % 800);
  add(granule);
  const SceneReader reader(find_scenes(files_).at(0), {.channels = {1}});
  std::vector<data::geo::Grid> grids(2, data::geo::grid_of(reader.image()));
  for (auto& grid : grids) grid.height = grid.width = 16;
  grids[1].georeference.transform[0] += 40 * grids[1].georeference.transform[1];
  const auto together = reader.read(grids);
  for (std::size_t i = 0; i < 2; ++i) EXPECT_EQ(together[i].pixels, reader.read(grids[i]).pixels);
}

TEST_F(AbiSceneReader, AGridBesideTheSceneIsRefused) {
  add(band(1, 8, 28e-6));
  const SceneReader reader(find_scenes(files_).at(0), {.channels = {1}});
  expect_input_error([&] { (void)reader.read(data::geo::grid_of(data::geo::WebTile{.zoom = 7, .x = 100, .y = 48})); },
                     "G17 M1", "shows nothing of the grid");
}

TEST_F(AbiSceneReader, ABandOfNothingButFillIsRefused) {
  SmallGranule empty = band(3, 8, 28e-6);
  empty.pixels.assign(64, empty.fill);
  add(band(1, 8, 28e-6));
  add(empty);
  expect_input_error([&] { (void)read({.channels = {1, 3}}); }, "M6C03", "no pixel was measured");
}

TEST_F(AbiSceneReader, BandsOfDifferentProjectionsAreRefused) {
  add(band(1, 8, 28e-6));
  SmallGranule moved = band(3, 8, 28e-6);
  moved.grid.projection.longitude_of_origin = -89.5;
  add(moved);
  expect_input_error([&] { (void)read({.channels = {1, 3}}); }, "M6C01", "M6C03", "not projected alike");
}

TEST(AbiRealScene, KincadesBytesAreItsReflectances) {
  const auto folder = real_data() / "goes17_kincade";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "no real files at " << folder << "; set PLUME_DATA";
  const auto scenes = find_scenes(data::abi::list_abi_files(folder));
  ASSERT_EQ(scenes.size(), 1U);
  const SceneReader reader(scenes[0], {.channels = {1, 3, 5, 6}});
  const auto raster = reader.read(data::geo::grid_of(reader.image()));
  EXPECT_EQ(raster.height, 1000);
  EXPECT_EQ(raster.stored, DType::u8);
  const data::abi::Granule blue(scenes[0].bands.at(1));
  const auto values = blue.read(blue.whole());
  for (std::size_t i = 0; i < values.size(); ++i)
    ASSERT_EQ(raster.pixels[4 * i], data::abi::byte_of_reflectance(double{values[i]})) << i;
}

}  // namespace
}  // namespace plume::tests
