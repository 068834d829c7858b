// Images read and written by rows: the same as whole ones.
#include "data/images/image_rows.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "../expect_error.hpp"
#include "../random_values.hpp"
#include "../scratch_folder.hpp"
#include "data/abi/scene_rows.hpp"
#include "data/formats/geotiff_write.hpp"
#include "data/formats/raster_read.hpp"
#include "small_granule.hpp"

namespace plume::tests {
namespace {

namespace abi = data::abi;

// Puts an image together of as many rows at a time.
data::Raster in_pieces(data::ImageRows& image, int rows) {
  data::Raster whole;
  const auto [height, width, bands] = image.shape();
  for (int first = 0; first < height; first += rows) {
    const int last = std::min(height, first + rows);
    const data::Raster part = image.read(first, last);
    EXPECT_EQ(part.height, last - first);
    whole.pixels.insert(whole.pixels.end(), part.pixels.begin(), part.pixels.end());
    whole.valid.insert(whole.valid.end(), part.valid.begin(), part.valid.end());
    whole.valid.resize(whole.pixels.size() / static_cast<std::size_t>(bands), 1);
  }
  EXPECT_EQ(whole.valid.size(), static_cast<std::size_t>(height) * static_cast<std::size_t>(width));
  return whole;
}

std::vector<std::uint8_t> all_valid(const data::Raster& raster) {
  return raster.valid.empty()
             ? std::vector<std::uint8_t>(raster.pixels.size() / static_cast<std::size_t>(raster.bands), 1)
             : raster.valid;
}

std::vector<float> noise(std::size_t count, std::uint64_t seed) {
  const auto values = random_values(count, seed);
  return {values.begin(), values.end()};
}

constexpr data::ImageShape shape{531, 77, 3};

TEST(ImageRows, OfAGeotiff) {
  const ScratchFolder folder;
  const data::Georeference place{"", {500000, 30, 0, 4100000, 0, -30}};
  data::write_geotiff(folder / "a.tif", shape, noise(std::size_t{531} * 77 * 3, 1), place);
  const data::Raster expected = data::read_raster(folder / "a.tif", {2, 0});
  for (const int rows : {1, 100, 531}) {
    const auto image = data::open_raster(folder / "a.tif", {2, 0});
    EXPECT_EQ(image->shape().height, 531);
    EXPECT_EQ(image->shape().width, 77);
    EXPECT_EQ(image->shape().channels, 2);
    EXPECT_EQ(image->georeference(), expected.georeference);
    EXPECT_EQ(in_pieces(*image, rows).pixels, expected.pixels);
  }
}

TEST(ImageRows, AnErrorNamesTheRowOfTheImage) {
  const ScratchFolder folder;
  auto values = noise(std::size_t{531} * 77 * 3, 1);
  values[(std::size_t{300} * 77 + 5) * 3 + 1] = std::numeric_limits<float>::quiet_NaN();
  data::write_geotiff(folder / "a.tif", shape, values, {});
  const auto image = data::open_raster(folder / "a.tif");
  static_cast<void>(image->read(0, 256));
  expect_input_error([&] { static_cast<void>(image->read(256, 512)); }, "a.tif", "band 2", "row 300, column 5");
}

TEST(ImageRows, WrittenByRowsAGeotiffIsTheSame) {
  const ScratchFolder folder;
  const auto values = noise(std::size_t{531} * 77 * 3, 2);
  const std::size_t row = std::size_t{77} * 3;
  data::write_geotiff(folder / "whole.tif", shape, values, {});
  for (const std::size_t rows : {1U, 100U, 300U}) {
    data::GeotiffWriter writer(folder / "rows.tif", shape, DType::f32, {});
    for (std::size_t first = 0; first < values.size(); first += rows * row)
      writer.write_rows(std::span(values).subspan(first, std::min(rows * row, values.size() - first)));
    writer.finish();
    EXPECT_EQ(read_file(folder / "rows.tif"), read_file(folder / "whole.tif"));
  }
}

TEST(ImageRows, AnUnfinishedGeotiffLeavesNothing) {
  const ScratchFolder folder;
  for (const auto layout : {data::GeotiffLayout::tiled, data::GeotiffLayout::cloud_optimized}) {
    data::GeotiffWriter writer(folder / "a.tif", shape, DType::f32, {}, layout);
    writer.write_rows(noise(std::size_t{300} * 77 * 3, 3));
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder / ""));
}

TEST(ImageRows, ACloudOptimizedGeotiffIsOne) {
  const ScratchFolder folder;
  constexpr data::ImageShape large{1100, 1300, 1};
  const auto values = noise(std::size_t{1100} * 1300, 4);
  data::GeotiffWriter writer(folder / "a.tif", large, DType::f32, {"", {500000, 30, 0, 4100000, 0, -30}},
                             data::GeotiffLayout::cloud_optimized);
  writer.write_rows(values);
  writer.finish();
  EXPECT_EQ(data::read_raster(folder / "a.tif").pixels, values);
  EXPECT_EQ(data::read_raster(folder / "a.tif").georeference.transform[0], 500000);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder / ""), {}), 1);
  // GDAL notes the layout that readers over HTTP rely on, right behind the header.
  EXPECT_NE(read_file(folder / "a.tif").substr(0, 1000).find("LAYOUT=IFDS_BEFORE_DATA"), std::string::npos);
}

class SceneRowsTest : public testing::Test {
 protected:
  void write(const SmallGranule& granule) {
    files_.push_back(folder_ / small_name(granule.channel));
    write_granule(files_.back(), granule);
  }
  [[nodiscard]] abi::SceneReader reader(std::vector<int> channels) const {
    return {abi::find_scenes(files_).front(), {.channels = std::move(channels), .scaling = abi::Scaling::physical}};
  }
  // 40 x 30 pixels of half the size that the granules of small_granule.hpp have.
  static SmallGranule finer(int channel) {
    SmallGranule granule{.channel = channel};
    granule.grid.x = {.first = -301e-6, .step = 14e-6, .count = 40};
    granule.grid.y = {.first = 203e-6, .step = -14e-6, .count = 30};
    for (int i = 0; i < 1200; ++i) granule.pixels.push_back(static_cast<std::uint16_t>(100 + i * 37 % 800));
    return granule;
  }

  ScratchFolder folder_;
  std::vector<std::filesystem::path> files_;
};

TEST_F(SceneRowsTest, AreTheWholeScene) {
  write(finer(1));
  SmallGranule flagged = finer(3);
  flagged.flags.assign(flagged.pixels.size(), 0);
  std::fill_n(flagged.flags.begin() + 400, 200, std::uint8_t{3});
  write(flagged);
  const abi::SceneReader whole = reader({1, 3});
  for (const auto& grid :
       {data::geo::grid_of(whole.image()), data::geo::grid_of(whole.image(), 1100),
        data::geo::grid_around(whole.image(), "EPSG:4326"), data::geo::grid_around(whole.image(), "EPSG:3857", 1500)}) {
    SCOPED_TRACE(testing::Message() << grid.height << " x " << grid.width);
    const data::Raster expected = whole.read(grid);
    EXPECT_GT(std::count(expected.valid.begin(), expected.valid.end(), 0), 0);
    EXPECT_GT(std::count(expected.valid.begin(), expected.valid.end(), 1), 0);
    for (const int rows : {1, 4, 100}) {
      abi::SceneRows image(reader({1, 3}), grid);
      EXPECT_EQ(image.georeference(), grid.georeference);
      const data::Raster found = in_pieces(image, rows);
      EXPECT_EQ(found.valid, all_valid(expected));
      ASSERT_EQ(found.pixels.size(), expected.pixels.size());
      for (std::size_t i = 0; i < found.pixels.size(); ++i) ASSERT_NEAR(found.pixels[i], expected.pixels[i], 1e-6) << i;
    }
  }
}

// Above rows of a band that was measured there may be any number of rows that were not.
TEST_F(SceneRowsTest, ABandWithoutAMeasuredPixelIsNamedInTheEnd) {
  SmallGranule lower = finer(1);
  lower.flags.assign(lower.pixels.size(), 3);
  std::fill_n(lower.flags.begin() + 1100, 100, std::uint8_t{0});
  write(lower);
  SmallGranule none = finer(3);
  none.flags.assign(none.pixels.size(), 3);
  write(none);
  abi::SceneRows measured(reader({1}), data::geo::grid_of(reader({1}).image()));
  EXPECT_EQ(in_pieces(measured, 7).pixels.size(), 1200U);
  abi::SceneRows image(reader({1, 3}), data::geo::grid_of(reader({1}).image()));
  static_cast<void>(image.read(0, 29));
  expect_input_error([&] { static_cast<void>(image.read(29, 30)); }, "C03", "no pixel was measured");
}

}  // namespace
}  // namespace plume::tests
