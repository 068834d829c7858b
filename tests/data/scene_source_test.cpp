// Scenes cut into tiles: where tiles lie, the same bytes however many threads read, and what is no band or shows nothing.
#include "data/abi/scene_source.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <numbers>
#include <set>
#include <string>
#include <vector>

#include "../expect_error.hpp"
#include "../real_data.hpp"
#include "../scratch_folder.hpp"
#include "data/abi/granule.hpp"
#include "data/abi/scaling.hpp"
#include "data/abi/tile_plan.hpp"
#include "data/formats/netcdf.hpp"
#include "data/formats/raster_read.hpp"
#include "data/shards/pack.hpp"
#include "data/shards/shard.hpp"
#include "kernels/loss.hpp"
#include "small_granule.hpp"

namespace plume::tests {
namespace {

namespace abi = data::abi;

// Labels that are the same everywhere.
class OneLabel final : public data::TileLabels {
 public:
  [[nodiscard]] int classes() const override { return 1; }
  [[nodiscard]] std::vector<float> label_target() const override { return {}; }
  void match(const std::vector<std::filesystem::path>&) override {}
  [[nodiscard]] std::string origin(int) const override { return "one"; }
  [[nodiscard]] std::string fingerprint(int) const override { return "one"; }
  [[nodiscard]] std::vector<std::uint8_t> labels(int, const data::Raster& raster) const override {
    return std::vector<std::uint8_t>(raster.pixels.size() / static_cast<std::size_t>(raster.bands), 1);
  }
};

// An image of 120 x 96 pixels of 1 km, 2 scenes of C01 and C03, whose pixels differ.
class SceneSource : public ::testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::create_directories(folder_ / "abi");
    for (const char* start : {"20193002000275", "20193002001275"}) {
      for (const int channel : {1, 3}) {
        SmallGranule granule{.channel = channel};
        granule.grid.x.count = 120;
        granule.grid.y.count = 96;
        for (int i = 0; i < 120 * 96; ++i)
          granule.pixels.push_back(static_cast<std::uint16_t>(100 + (i * (channel + 4) + start[9]) % 700));
        write_granule(folder_ / "abi" / small_name(channel, start), granule);
      }
    }
  }

  [[nodiscard]] std::unique_ptr<abi::SceneSource> source(int size = 16) const {
    return std::make_unique<abi::SceneSource>(folder_ / "abi", abi::SceneOptions{.channels = {1, 3}},
                                              abi::TilePlan{.tiling = abi::Tiling::satellite, .size = size},
                                              std::make_unique<OneLabel>());
  }

  [[nodiscard]] data::PackOptions packing(const char* name, int threads) const {
    data::PackOptions options;
    options.output = folder_ / name;
    options.val = options.test = 0;
    options.threads = threads;
    return options;
  }

  ScratchFolder folder_;
};

TEST_F(SceneSource, TilesAreSquaresOfTheSatellitesPixels) {
  const auto tiles = source();
  ASSERT_EQ(tiles->names().size(), 2U * (120 / 16) * (96 / 16));
  EXPECT_EQ(tiles->names().front(), "OR_ABI-L1b-RadM1-M6_G17_s20193002000275_0_0");
  const abi::Granule blue(folder_ / "abi" / small_name(1, "20193002000275"));
  const auto whole = blue.read(blue.whole());
  const auto found =
      std::find(tiles->names().begin(), tiles->names().end(), "OR_ABI-L1b-RadM1-M6_G17_s20193002000275_2_3");
  const auto tile = tiles->read(static_cast<int>(found - tiles->names().begin()));
  for (int row = 0; row < 16; ++row) {
    for (int column = 0; column < 16; ++column) {
      const auto expected = abi::byte_of_reflectance(whole[static_cast<std::size_t>((32 + row) * 120 + 48 + column)]);
      EXPECT_EQ(tile.raster.pixels[static_cast<std::size_t>((row * 16 + column) * 2)], expected)
          << row << ',' << column;
    }
  }
}

// "49_20" of a tile's name.
std::string place_of(const std::string& name) {
  return name.substr(name.rfind('_', name.rfind('_') - 1) + 1);
}

// An image of the western United States in pixels of 36 km, and the tiles that NASA-IMPACT cut there.
TEST(SceneSourceReal, WebTilesLieWhereTheRealOnesDo) {
  const auto real = real_data() / "goes16_tiles" / "tiles";
  if (!std::filesystem::exists(real)) GTEST_SKIP() << "no real tiles at " << real << "; set PLUME_DATA";
  std::map<std::string, data::Georeference> expected;
  for (const auto& path : data::list_rasters(real))
    expected[place_of(path.stem())] = data::read_raster(path).georeference;
  const ScratchFolder folder;
  SmallGranule granule{.channel = 1};
  granule.grid.x = {.first = 0.005, .step = 1e-3, .count = 60};
  granule.grid.y = {.first = 0.12, .step = -1e-3, .count = 60};
  granule.pixels.assign(3600, 300);
  write_granule(folder / small_name(1), granule);
  const abi::SceneSource tiles(folder / "", {.channels = {1}}, {.least_share = 0}, std::make_unique<OneLabel>());
  int compared = 0;
  for (std::size_t tile = 0; tile < tiles.names().size(); ++tile) {
    const auto same = expected.find(place_of(tiles.names()[tile]));
    if (same == expected.end()) continue;
    ++compared;
    const auto ours = tiles.georeference(static_cast<int>(tile));
    for (std::size_t i = 0; i < 6; ++i) EXPECT_NEAR(ours.transform[i], same->second.transform[i], 1e-9) << same->first;
    EXPECT_NE(ours.projection.find("4326"), std::string::npos);
  }
  EXPECT_GT(compared, 20);
}

TEST_F(SceneSource, ReflectanceStaysWhereItIsAskedFor) {
  const abi::SceneSource tiles(folder_ / "abi", {.channels = {1, 3}, .scaling = abi::Scaling::physical},
                               {.tiling = abi::Tiling::satellite, .size = 16}, std::make_unique<OneLabel>());
  EXPECT_EQ(tiles.shape().dtype, DType::f32);
  const abi::Granule blue(folder_ / "abi" / small_name(1, "20193002000275"));
  EXPECT_EQ(tiles.read(0).raster.pixels[0], blue.read({.row = 0, .column = 0, .height = 1, .width = 1})[0]);
}

TEST_F(SceneSource, TheShardsBytesDoNotDependOnThreads) {
  data::pack(*source(), packing("one.h5", 1));
  for (const int threads : {2, 4, 8}) {
    data::pack(*source(), packing("several.h5", threads));
    EXPECT_TRUE(read_file(folder_ / "several.h5") == read_file(folder_ / "one.h5")) << threads;
  }
}

TEST_F(SceneSource, APackingThatWasBrokenOffGoesOn) {
  data::pack(*source(), packing("whole.h5", 2));
  auto options = packing("resumed.h5", 2);
  options.part_tiles = 4;
  expect_error(
      ErrorKind::environment,
      [&] {
        data::pack(*source(), options, [](int done, int) {
          if (done == 40) throw environment_error("broken off");
        });
      },
      "broken off");
  const auto report = data::pack(*source(), options);
  EXPECT_GT(report.kept_tiles, 0);
  EXPECT_TRUE(read_file(folder_ / "resumed.h5") == read_file(folder_ / "whole.h5"));
}

TEST_F(SceneSource, PartsOfAnotherSizeAreNotTakenOver) {
  auto options = packing("sized.h5", 1);
  options.part_tiles = 2;
  expect_error(
      ErrorKind::environment,
      [&] {
        data::pack(*source(16), options, [](int done, int) {
          if (done == 6) throw environment_error("broken off");
        });
      },
      "broken off");
  const auto report = data::pack(*source(20), options);
  EXPECT_EQ(report.kept_tiles, 0);
  EXPECT_EQ(data::Shard(options.output).info().height, 20);
}

// 84 tiles, of which each part holds 7.
TEST_F(SceneSource, PartsAreATwelfthOfTheTiles) {
  const auto options = packing("pack.h5", 1);
  expect_error(
      ErrorKind::environment,
      [&] {
        data::pack(*source(), options, [](int done, int) {
          if (done == 40) throw environment_error("broken off");
        });
      },
      "broken off");
  EXPECT_EQ(data::pack(*source(), options).kept_tiles, 35);
}

// Only the first channel's file is opened to plan tiles.
TEST_F(SceneSource, ADamagedFileIsNamedWhenItsTilesAreRead) {
  const auto damaged = small_name(3, "20193002001275");
  write_file(folder_ / "abi" / damaged, "no NetCDF");
  const auto tiles = source();
  expect_input_error([&] { data::pack(*tiles, packing("pack.h5", 2)); }, damaged);
  write_file(folder_ / "abi" / small_name(1, "20193002001275"), "no NetCDF");
  expect_input_error([&] { (void)source(); }, small_name(1, "20193002001275"));
}

TEST_F(SceneSource, ProductsWithoutChannelsArePassedOver) {
  write_file(folder_ / "abi" / "OR_ABI-L2-FDCM1-M6_G17_s20193002000275_e20193002000332_c20193002000379.nc", "no band");
  EXPECT_EQ(source()->names().size(), 84U);
}

TEST_F(SceneSource, SaysWhatIsMissing) {
  std::filesystem::remove(folder_ / "abi" / small_name(3, "20193002001275"));
  expect_input_error([&] { (void)source(); }, "lacks C03");
  expect_input_error([&] { abi::SceneSource(folder_ / "", {.channels = {1}}, {}, std::make_unique<OneLabel>()); },
                     "holds no bands");
}

TEST_F(SceneSource, NoTileOfTheWebIsShownEnough) {
  std::filesystem::remove(folder_ / "abi" / small_name(3, "20193002001275"));
  std::filesystem::remove(folder_ / "abi" / small_name(1, "20193002001275"));
  expect_input_error(
      [&] {
        abi::SceneSource(folder_ / "abi", {.channels = {1, 3}}, {}, std::make_unique<OneLabel>());
      },
      "no scene shows enough of a tile");
}

// A sector about the horizon: whole rows of tiles are space.
TEST_F(SceneSource, TilesOfSpaceAreIgnored) {
  const ScratchFolder folder;
  std::filesystem::create_directories(folder / "abi");
  SmallGranule granule{.channel = 1};
  granule.grid.x = {.first = 0, .step = 28e-6, .count = 32};
  granule.grid.y = {.first = 0.1525, .step = -28e-6, .count = 200};
  granule.pixels.assign(std::size_t{32} * 200, 500);
  for (std::size_t i = 0; i < std::size_t{32} * 60; ++i) granule.pixels[i] = granule.fill;
  write_granule(folder / "abi" / small_name(1), granule);
  const abi::SceneSource tiles(folder / "abi", {.channels = {1}}, {.tiling = abi::Tiling::satellite, .size = 16},
                               std::make_unique<OneLabel>());
  const auto first = tiles.read(0);
  EXPECT_EQ(first.labels, std::vector<std::uint8_t>(256, kernels::ignore_label));
  const auto last = tiles.read(static_cast<int>(tiles.names().size()) - 1);
  EXPECT_EQ(last.labels, std::vector<std::uint8_t>(256, 1));
}

// GOES-East's full disk at 2 km: every zoom-7 tile that it sees, but for the last degrees before the horizon.
TEST(TilePlan, WebTilesAreFoundTowardsTheLimb) {
  const data::geo::FixedGrid disk{.projection = {.longitude_of_origin = -75},
                                  .x = {.first = -0.151844, .step = 56e-6, .count = 5424},
                                  .y = {.first = 0.151844, .step = -56e-6, .count = 5424}};
  std::set<std::pair<int, int>> found;
  for (const auto& tile : abi::plan_tiles(disk, {.size = 8, .least_share = 1})) found.insert({tile.row, tile.column});
  int seen = 0;
  for (int y = 0; y < 128; ++y) {
    for (int x = 0; x < 128; ++x) {
      const auto t = data::geo::grid_of(data::geo::WebTile{7, x, y}, 8).georeference.transform;
      double farthest = 0;  // from the point below the satellite, in degrees of arc
      for (const auto& [column, row] : {std::pair{0, 0}, {0, 8}, {8, 0}, {8, 8}}) {
        constexpr double degree = std::numbers::pi / 180;
        const double latitude = (t[3] + row * t[5]) * degree;
        const double longitude = (t[0] + column * t[1] + 75) * degree;
        farthest = std::max(farthest, std::acos(std::cos(latitude) * std::cos(longitude)) / degree);
      }
      if (farthest > 76) continue;  // the horizon is at 81.3
      ++seen;
      EXPECT_TRUE(found.contains({y, x})) << y << ", " << x;
    }
  }
  EXPECT_GT(seen, 3500);
}

}  // namespace
}  // namespace plume::tests
