// Reading and writing tiles: types, validity, layouts, bands, and every way in which a file can be bad.
#include <fmt/core.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <chrono>
#include <cmath>
#include <limits>
#include <numeric>

#include "../expect_error.hpp"
#include "../scratch_folder.hpp"
#include "data/formats/geotiff_write.hpp"
#include "data/formats/raster_read.hpp"
#include "data/images/npy.hpp"
#include "data/images/png.hpp"
#include "kernels/base/philox.hpp"

namespace plume::tests {
namespace {

using data::read_raster;

std::vector<float> ramp(std::size_t count) {
  std::vector<float> values(count);
  std::iota(values.begin(), values.end(), 0.5F);
  return values;
}

data::Georeference somewhere() {
  data::Georeference georeference;
  georeference.projection =
      R"(GEOGCS["WGS 84",DATUM["WGS_1984",SPHEROID["WGS 84",6378137,298.257223563]],PRIMEM["Greenwich",0],UNIT["degree",0.0174532925199433]])";
  georeference.transform = {-120, 0.01, 0, 40, 0, -0.02};
  return georeference;
}

TEST(Raster, GeotiffRoundTrip) {
  const ScratchFolder folder;
  const auto values = ramp(5 * 7 * 3);
  data::write_geotiff(folder / "a.tif", {5, 7, 3}, values, somewhere());
  const auto raster = read_raster(folder / "a.tif");
  EXPECT_EQ(raster.height, 5);
  EXPECT_EQ(raster.width, 7);
  EXPECT_EQ(raster.bands, 3);
  EXPECT_EQ(raster.stored, DType::f32);
  EXPECT_EQ(raster.pixels, values);
  EXPECT_TRUE(raster.valid.empty());
  EXPECT_EQ(raster.georeference.transform, somewhere().transform);
  EXPECT_NE(raster.georeference.projection.find("WGS 84"), std::string::npos);
}

TEST(Raster, PngRoundTripAndUpperCaseExtension) {
  const ScratchFolder folder;
  std::vector<std::uint8_t> pixels(4 * 6 * 3);
  std::iota(pixels.begin(), pixels.end(), std::uint8_t{0});
  data::write_png(folder / "A.PNG", {4, 6, 3}, pixels);
  EXPECT_TRUE(data::is_raster_name(folder / "A.PNG"));
  const auto raster = read_raster(folder / "A.PNG");
  EXPECT_EQ(raster.stored, DType::u8);
  EXPECT_FALSE(raster.georeference.present());
  EXPECT_EQ(raster.pixels, std::vector<float>(pixels.begin(), pixels.end()));

  data::write_npy(folder / "B.NPY", std::vector<std::int64_t>{2, 2}, std::span<const float>(ramp(4)));
  EXPECT_EQ(read_raster(folder / "B.NPY").pixels, ramp(4));
}

TEST(Raster, AlphaIsValidityAndNoBand) {
  const ScratchFolder folder;
  std::vector<std::uint8_t> pixels(2 * 2 * 4, 90);
  pixels[3] = 255;
  pixels[7] = 0;  // the second pixel is transparent
  data::write_png(folder / "a.png", {2, 2, 4}, pixels);
  const auto raster = read_raster(folder / "a.png");
  EXPECT_EQ(raster.bands, 3);
  EXPECT_EQ(raster.valid, (std::vector<std::uint8_t>{1, 0, 1, 1}));
  EXPECT_EQ(raster.pixels[3], 0.0F);
  EXPECT_EQ(raster.pixels[6], 90.0F);
}

TEST(Raster, FourBandsOfBytesAreNotAlpha) {
  const ScratchFolder folder;
  const std::vector<std::uint8_t> pixels(3 * 3 * 4, 8);
  data::write_geotiff(folder / "a.tif", {3, 3, 4}, pixels, {});
  EXPECT_EQ(read_raster(folder / "a.tif").bands, 4);
}

TEST(Raster, NodataIsNotValidEvenWhenNaN) {
  const ScratchFolder folder;
  for (const char* nodata : {"-9999", "nan"}) {
    auto values = ramp(9);
    values[4] = std::string_view(nodata) == "nan" ? std::numeric_limits<float>::quiet_NaN() : -9999;
    data::write_geotiff(folder / "a.tif", {3, 3, 1}, values, {});
    // GDAL's virtual format sets a nodata value on top of the file.
    write_file(folder / "a.vrt",
               "<VRTDataset rasterXSize=\"3\" rasterYSize=\"3\"><VRTRasterBand dataType=\"Float32\" "
               "band=\"1\"><NoDataValue>" +
                   std::string(nodata) +
                   "</NoDataValue><SimpleSource><SourceFilename relativeToVRT=\"1\">a.tif"
                   "</SourceFilename><SourceBand>1</SourceBand></SimpleSource></VRTRasterBand></VRTDataset>");
    const auto raster = read_raster(folder / "a.vrt");
    ASSERT_EQ(raster.valid.size(), 9U);
    EXPECT_EQ(std::accumulate(raster.valid.begin(), raster.valid.end(), 0), 8);
    EXPECT_EQ(raster.valid[4], 0);
    EXPECT_EQ(raster.pixels[4], 0.0F);
  }
}

TEST(Raster, AMasksNodataStaysAValue) {
  const ScratchFolder folder;
  const std::vector<std::uint8_t> pixels{0, 255, 0, 255};
  data::write_png(folder / "a.png", {2, 2, 1}, pixels);
  // PNG says by a tRNS chunk, after the 33 bytes of signature and IHDR, that grey 0 is transparent.
  auto bytes = read_file(folder / "a.png");
  bytes.insert(33, std::string_view("\0\0\0\2tRNS\0\0\x76\x93\xCD\x38", 14));
  write_file(folder / "a.png", bytes);
  EXPECT_EQ(read_raster(folder / "a.png").valid, (std::vector<std::uint8_t>{0, 1, 0, 1}));
  const auto mask = data::read_mask(folder / "a.png");
  EXPECT_TRUE(mask.valid.empty());
  EXPECT_EQ(mask.nodata, 0.0F);
  EXPECT_EQ(mask.pixels, std::vector<float>(pixels.begin(), pixels.end()));
}

TEST(Raster, NpyLayouts) {
  const ScratchFolder folder;
  const auto read = [&](std::vector<std::int64_t> shape, const std::vector<int>& bands = {}) {
    std::size_t count = 1;
    for (const auto extent : shape) count *= static_cast<std::size_t>(extent);
    data::write_npy(folder / "a.npy", shape, std::span<const float>(ramp(count)));
    return read_raster(folder / "a.npy", bands);
  };
  EXPECT_EQ(read({5, 4}).bands, 1);
  EXPECT_EQ(read({5, 4, 6}).bands, 6);
  EXPECT_EQ(read({1, 5, 4, 6}).bands, 6);
  EXPECT_EQ(read({1, 5, 40}).height, 5);
  const auto first = read({6, 20, 30});
  EXPECT_EQ(first.bands, 6);
  EXPECT_EQ(first.height, 20);
  EXPECT_EQ(first.pixels[1], 600.5F);  // the second band of the first pixel
  EXPECT_EQ(read({6, 20, 30}, {2}).pixels[1], 1201.5F);
  EXPECT_EQ(read({5, 4, 6}, {3, 0}).pixels[1], 0.5F);
  expect_input_error([&] { (void)read({4}); }, "a.npy", "dimensions");
  expect_input_error([&] { (void)read({2, 5, 4, 6}); }, "a.npy", "dimensions");
}

TEST(Raster, NaNAndInfinityAreNamed) {
  const ScratchFolder folder;
  auto values = ramp(4 * 5 * 2);
  values[(2 * 5 + 3) * 2 + 1] = std::numeric_limits<float>::quiet_NaN();
  data::write_geotiff(folder / "nan.tif", {4, 5, 2}, values, {});
  expect_input_error([&] { (void)read_raster(folder / "nan.tif"); }, "nan.tif", "band 2", "NaN", "row 2", "column 3");
  EXPECT_NO_THROW((void)read_raster(folder / "nan.tif", {0}));
  values[(2 * 5 + 3) * 2 + 1] = -std::numeric_limits<float>::infinity();
  data::write_npy(folder / "inf.npy", std::vector<std::int64_t>{4, 5, 2}, std::span<const float>(values));
  expect_input_error([&] { (void)read_raster(folder / "inf.npy"); }, "inf.npy", "band 2", "infinite", "row 2");
}

TEST(Raster, BandsThatAreNotThere) {
  const ScratchFolder folder;
  data::write_geotiff(folder / "a.tif", {3, 3, 2}, ramp(18), {});
  expect_input_error([&] { (void)read_raster(folder / "a.tif", {0, 2}); }, "a.tif", "2 bands", "no band 3");
}

// A raster of any size in a few bytes, by GDAL's virtual format.
void write_virtual(const std::filesystem::path& path, int edge, int bands) {
  auto text = fmt::format("<VRTDataset rasterXSize=\"{0}\" rasterYSize=\"{0}\">", edge);
  for (int band = 1; band <= bands; ++band)
    text += fmt::format("<VRTRasterBand dataType=\"Byte\" band=\"{}\"></VRTRasterBand>", band);
  write_file(path, text + "</VRTDataset>");
}

TEST(Raster, TooLargeNamesTheLimit) {
  const ScratchFolder folder;
  write_virtual(folder / "disk500m.vrt", 21696, 1);
  expect_input_error([&] { (void)read_raster(folder / "disk500m.vrt"); }, "disk500m.vrt", "21696x21696",
                     std::to_string(data::max_pixels), "pixels", "cut");
  write_virtual(folder / "disk1km.vrt", 10848, 10);
  expect_input_error([&] { (void)read_raster(folder / "disk1km.vrt"); }, "disk1km.vrt", "10 bands",
                     std::to_string(data::max_values), "values", "choose fewer bands");
  static_assert(std::int64_t{10848} * 10848 * 6 <= data::max_values);
}

TEST(Raster, APipeIsRefusedNotWaitedFor) {
  const ScratchFolder folder;
  ASSERT_EQ(::mkfifo((folder / "pipe.tif").c_str(), 0600), 0);
  expect_input_error([&] { (void)read_raster(folder / "pipe.tif"); }, "pipe.tif", "not a regular file");
}

TEST(Raster, BadFilesAreRefusedInSilence) {
  const ScratchFolder folder;
  ::testing::internal::CaptureStderr();
  expect_input_error([&] { (void)read_raster(folder / "none.tif"); }, "none.tif", "no such file");
  expect_input_error([&] { (void)read_raster(folder / ""); }, "folder");
  for (const char* name : {"z.tif", "z.png", "z.jpg", "z.npy"}) {
    write_file(folder / name, "");
    expect_input_error([&] { (void)read_raster(folder / name); }, name, "empty");
    Philox draw(1, 2);
    std::string random(5000, ' ');
    for (auto& byte : random) byte = static_cast<char>(draw.next());
    write_file(folder / name, random);
    expect_input_error([&] { (void)read_raster(folder / name); }, name);
  }
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
}

TEST(Raster, TruncationAnywhereIsRefusedOrHarmless) {
  const ScratchFolder folder;
  std::vector<std::uint8_t> pixels(64 * 64 * 3);
  Philox draw(3, 4);
  for (auto& pixel : pixels) pixel = static_cast<std::uint8_t>(draw.next());
  data::write_geotiff(folder / "a.tif", {64, 64, 3}, pixels, {});
  data::write_png(folder / "a.png", {64, 64, 3}, pixels);
  ::testing::internal::CaptureStderr();
  for (const char* name : {"a.tif", "a.png"}) {
    const auto whole = read_file(folder / name);
    const auto cut = folder / (std::string("cut_") + name);
    for (std::size_t length = 0; length + 64 < whole.size(); length += 1 + whole.size() / 150) {
      write_file(cut, whole.substr(0, length));
      expect_input_error([&] { (void)read_raster(cut); }, "cut_");
    }
  }
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
}

TEST(Raster, FlippedBytesNeverCrash) {
  const ScratchFolder folder;
  std::vector<std::uint8_t> pixels(32 * 32 * 2, 7);
  data::write_geotiff(folder / "a.tif", {32, 32, 2}, pixels, somewhere());
  const auto whole = read_file(folder / "a.tif");
  Philox draw(5, 6);
  for (int round = 0; round < 300; ++round) {
    auto damaged = whole;
    for (int i = 0; i < 3; ++i)
      damaged[draw.below(static_cast<std::uint32_t>(whole.size()))] ^= static_cast<char>(1 + draw.below(255));
    write_file(folder / "b.tif", damaged);
    try {
      (void)read_raster(folder / "b.tif");
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::input);
    }
  }
}

TEST(Raster, BandLists) {
  EXPECT_EQ(data::parse_bands("1-6"), (std::vector<int>{0, 1, 2, 3, 4, 5}));
  EXPECT_EQ(data::parse_bands("1,2,5"), (std::vector<int>{0, 1, 4}));
  EXPECT_EQ(data::parse_bands("3,1-2"), (std::vector<int>{2, 0, 1}));
  EXPECT_TRUE(data::parse_bands("").empty());
  for (const char* bad : {"0", "1-", "-3", "6-1", "1,,2", "1,1", "a", "1;2", "1,", "99999999999", "1-2-3"})
    expect_error(ErrorKind::usage, [&] { (void)data::parse_bands(bad); });
}

// Whoever asks a server may name many.
TEST(Raster, ManyBandsAreReadQuickly) {
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < 20; ++i) EXPECT_EQ(data::parse_bands("1-65536").size(), 65536U);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(10));
}

TEST(Raster, FolderListing) {
  const ScratchFolder folder;
  for (const char* name : {"b.tif", "a.PNG", "notes.txt", ".hidden.tif"}) write_file(folder / name, "x");
  const auto found = data::list_rasters(folder / "");
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].filename(), "a.PNG");
  write_file(folder / "a.npy", "x");
  expect_input_error([&] { (void)data::list_rasters(folder / ""); }, "two files named a");
  expect_input_error([&] { (void)data::list_rasters(folder / "none"); }, "none");
}

TEST(Raster, WritingFailsInOneLine) {
  const ScratchFolder folder;
  expect_error(
      ErrorKind::environment,
      [&] {
        data::write_geotiff(folder / "no/a.tif", {2, 2, 1}, ramp(4), {});
      },
      "no/a.tif");
  expect_error(
      ErrorKind::environment,
      [&] { data::write_npy(folder / "no/a.npy", std::vector<std::int64_t>{4}, std::span<const float>(ramp(4))); },
      "no/a.npy");
}

}  // namespace
}  // namespace plume::tests
