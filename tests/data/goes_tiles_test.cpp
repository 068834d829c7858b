// The real GOES-16 tiles, where they are at hand: packed by their split, and the original float32 ones.
#include <gtest/gtest.h>

#include <algorithm>

#include "../expect_error.hpp"
#include "../packing.hpp"
#include "../real_data.hpp"
#include "../scratch_folder.hpp"
#include "data/formats/raster_read.hpp"
#include "data/images/npy.hpp"
#include "data/loading/loader.hpp"

namespace plume::tests {
namespace {

class GoesTiles : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(goes_)) GTEST_SKIP() << "no real tiles at " << goes_ << "; set PLUME_DATA";
  }
  const std::filesystem::path goes_ = real_data() / "goes16_tiles";
  ScratchFolder folder_;
};

TEST_F(GoesTiles, AllPackByTheirSplit) {
  FolderPacking options;
  options.tiles = goes_ / "tiles";
  options.masks = goes_ / "masks";
  options.split_csv = goes_ / "split.csv";
  options.output = folder_ / "goes.h5";
  const auto report = pack(options);
  EXPECT_EQ(report.tiles, 299);
  EXPECT_EQ(report.shape.bands, 6);
  EXPECT_EQ(report.shape.dtype, DType::u8);
  EXPECT_EQ(report.split, (std::array{194, 60, 45}));
  EXPECT_NEAR(report.positive_fraction, 0.019, 0.001);

  const data::Shard shard(options.output);
  const int smoky = static_cast<int>(std::count_if(
      shard.info().positive_fraction.begin(), shard.info().positive_fraction.end(), [](float f) { return f > 0.01F; }));
  EXPECT_EQ(smoky, 33);
  EXPECT_NE(shard.info().georeference[0].projection.find("4326"), std::string::npos);
  data::Loader loader(shard, {.batch = 8, .crop = 128, .flip = true, .class_share = 0.5F}, shard.info().mean,
                      shard.info().std, 2, 3);
  const auto batch = loader.next();
  EXPECT_EQ(batch.images, 8);
  EXPECT_GT(std::count(batch.labels.begin(), batch.labels.end(), 1), 4);

  // The hash of places splits them too, without a CSV.
  options.split_csv.clear();
  const auto placed = pack(options);
  EXPECT_NEAR(placed.split[1], 60, 10);
  EXPECT_NEAR(placed.split[2], 30, 10);
}

TEST_F(GoesTiles, TheOriginalsNeedTheirBandsChosen) {
  std::filesystem::create_directories(folder_ / "tiles");
  std::filesystem::create_directories(folder_ / "masks");
  for (const auto& path : data::list_rasters(goes_ / "original_float32")) {
    const auto all = data::read_raster(path);
    EXPECT_EQ(all.bands, 7);
    const auto six = data::read_raster(path, data::parse_bands("1-6"));
    EXPECT_EQ(six.bands, 6);
    EXPECT_EQ(six.stored, DType::f32);
    EXPECT_TRUE(six.valid.empty());
    // The byte tiles are the same picture.
    const auto bytes = data::read_raster(goes_ / "tiles" / path.filename());
    EXPECT_EQ(bytes.pixels, six.pixels);
    std::filesystem::copy(path, folder_ / "tiles");
    std::filesystem::copy(goes_ / "masks" / (path.stem().string() + ".png"), folder_ / "masks");
  }
  FolderPacking options;
  options.tiles = folder_ / "tiles";
  options.masks = folder_ / "masks";
  options.output = folder_ / "originals.h5";
  options.block = 1;
  options.bands = data::parse_bands("1-6");
  EXPECT_EQ(pack(options).shape.dtype, DType::f32);
  options.bands = data::parse_bands("1-8");
  expect_input_error([&] { pack(options); }, "7 bands", "no band 8");
}

}  // namespace
}  // namespace plume::tests
