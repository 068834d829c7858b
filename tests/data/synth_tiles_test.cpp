// Drawn scenes: the same from the same seed, plausible in every band, and smoke that can be told from cloud.
#include <gtest/gtest.h>

#include <array>
#include <set>

#include "../expect_error.hpp"
#include "../packing.hpp"
#include "../scratch_folder.hpp"
#include "data/shard.hpp"
#include "data/synth/tiles.hpp"
#include "data/synth/world.hpp"

namespace plume::tests {
namespace {

TEST(SynthTiles, IsAFunctionOfSeedAndIndex) {
  const auto a = data::synth::draw_scene(3, 5, 64);
  EXPECT_EQ(a.pixels, data::synth::draw_scene(3, 5, 64).pixels);
  EXPECT_EQ(a.mask, data::synth::draw_scene(3, 5, 64).mask);
  EXPECT_NE(a.pixels, data::synth::draw_scene(4, 5, 64).pixels);
  EXPECT_NE(a.pixels, data::synth::draw_scene(3, 6, 64).pixels);
}

TEST(SynthTiles, PlacesDoNotRepeatAndLieInTheWest) {
  std::set<std::pair<double, double>> corners;
  for (int index = 0; index < 100; ++index) {
    const auto scene = data::synth::draw_scene(1, index, 8);
    const auto& t = scene.georeference.transform;
    corners.insert({t[0], t[3]});
    EXPECT_GE(t[0], -136);
    EXPECT_LE(t[0] + 8 * t[1], -101);
    EXPECT_GE(t[3] + 8 * t[5], 24);
    EXPECT_LE(t[3], 52);
  }
  EXPECT_EQ(corners.size(), 100U);
}

TEST(SynthTiles, SmokeShowsInTheBlueAndNotInTheInfrared) {
  int smoky = 0;
  double fraction = 0;
  std::array<double, 6> inside{};
  std::array<double, 6> outside{};
  double inside_count = 0;
  double outside_count = 0;
  for (int index = 0; index < 60; ++index) {
    const auto scene = data::synth::draw_scene(2, index, 64);
    std::size_t count = 0;
    for (std::size_t pixel = 0; pixel < scene.mask.size(); ++pixel) {
      const bool smoke = scene.mask[pixel] == 255;
      ASSERT_TRUE(smoke || scene.mask[pixel] == 0);
      count += smoke ? 1 : 0;
      // Clouds are bright at 0.64 um; they are left out here.
      if (scene.pixels[pixel * 6 + 1] > 130) continue;
      (smoke ? inside_count : outside_count) += 1;
      for (std::size_t band = 0; band < 6; ++band) (smoke ? inside : outside)[band] += scene.pixels[pixel * 6 + band];
    }
    smoky += count > 0 ? 1 : 0;
    fraction += static_cast<double>(count) / static_cast<double>(scene.mask.size()) / 60;
  }
  EXPECT_GE(smoky, 30);
  EXPECT_LE(smoky, 55);
  EXPECT_GT(fraction, 0.02);
  EXPECT_LT(fraction, 0.25);
  EXPECT_GT(inside[0] / inside_count, outside[0] / outside_count + 15);
  EXPECT_LT(inside[5] / inside_count, outside[5] / outside_count + 15);
}

TEST(SynthTiles, WhatIsWrittenPacks) {
  const ScratchFolder folder;
  int last = 0;
  data::synth::write_scenes(folder / "scenes", 6, 1, [&](int done, int) { last = done; });
  EXPECT_EQ(last, 6);
  FolderPacking options;
  options.tiles = folder / "scenes/tiles";
  options.masks = folder / "scenes/masks";
  options.output = folder / "scenes.h5";
  options.block = 1;
  const auto report = pack(options);
  EXPECT_EQ(report.tiles, 6);
  EXPECT_EQ(report.shape.bands, data::synth::drawn_bands);
  EXPECT_EQ(report.shape.height, 256);
  EXPECT_NE(data::Shard(options.output).info().georeference[0].projection.find("4326"), std::string::npos);
  expect_error(ErrorKind::usage, [&] { data::synth::write_scenes(folder / "none", 0, 1); });
  write_file(folder / "file", "");
  expect_error(
      ErrorKind::environment, [&] { data::synth::write_scenes(folder / "file", 1, 1); }, "file");
}

}  // namespace
}  // namespace plume::tests
