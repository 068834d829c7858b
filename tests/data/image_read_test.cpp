// The readers without large libraries against GDAL, over every kind of TIFF and PNG that it writes, and over damaged
// ones.
#include "data/images/image_read.hpp"

#include <fmt/core.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <numeric>
#include <string>

#include "../expect_error.hpp"
#include "../real_data.hpp"
#include "../scratch_folder.hpp"
#include "data/formats/geotiff_write.hpp"
#include "data/formats/raster_read.hpp"
#include "data/images/png.hpp"
#include "data/images/tiff.hpp"
#include "data/images/tiff_handle.hpp"
#include "kernels/base/philox.hpp"

namespace plume::tests {
namespace {

using data::read_image;
using data::read_raster;

std::vector<float> noise(std::size_t count, int seed) {
  std::vector<float> values(count);
  Philox draw(static_cast<std::uint64_t>(seed), 1);
  for (float& value : values) value = static_cast<float>(draw.next() % 60000) / 4 - 2000;
  return values;
}

std::vector<std::uint8_t> bytes_of_noise(std::size_t count, int seed) {
  std::vector<std::uint8_t> values(count);
  Philox draw(static_cast<std::uint64_t>(seed), 1);
  for (auto& value : values) value = static_cast<std::uint8_t>(draw.next() % 256);
  return values;
}

std::span<const std::byte> as_bytes(const std::string& text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

// The projection is text for one reader and keys for the other, so it is not compared.
void expect_same(const data::Raster& ours, const data::Raster& gdals) {
  EXPECT_EQ(ours.height, gdals.height);
  EXPECT_EQ(ours.width, gdals.width);
  EXPECT_EQ(ours.bands, gdals.bands);
  EXPECT_EQ(ours.stored, gdals.stored);
  EXPECT_EQ(ours.pixels, gdals.pixels);
  EXPECT_EQ(ours.valid, gdals.valid);
  for (std::size_t i = 0; i < 6; ++i)
    EXPECT_NEAR(ours.georeference.transform[i], gdals.georeference.transform[i], 1e-12) << i;
  EXPECT_EQ(ours.georeference.present(), gdals.georeference.present());
}

bool has_gdal_translate() {
  return std::system("gdal_translate --version > /dev/null 2>&1") == 0;
}

class ImageRead : public testing::Test {
 protected:
  // What gdal_translate with these options makes of a five-band image of floats.
  std::filesystem::path translated(const std::string& options, const char* name) {
    const auto from = folder_ / "source.tif";
    if (!std::filesystem::exists(from))
      data::write_geotiff(from, {75, 300, 5}, noise(std::size_t{75} * 300 * 5, 3), somewhere());
    auto to = folder_ / name;
    const std::string command =
        fmt::format("gdal_translate -q {} {} {} 2> /dev/null", options, from.string(), to.string());
    if (std::system(command.c_str()) != 0) throw std::runtime_error(command + " failed");
    return to;
  }

  // EPSG:32611, which is UTM.
  static data::Georeference somewhere() {
    data::Georeference georeference;
    georeference.projection =
        R"(PROJCS["WGS 84 / UTM zone 11N",GEOGCS["WGS 84",DATUM["WGS_1984",SPHEROID["WGS 84",6378137,298.257223563]],PRIMEM["Greenwich",0],UNIT["degree",0.0174532925199433]],PROJECTION["Transverse_Mercator"],PARAMETER["latitude_of_origin",0],PARAMETER["central_meridian",-117],PARAMETER["scale_factor",0.9996],PARAMETER["false_easting",500000],PARAMETER["false_northing",0],UNIT["metre",1],AUTHORITY["EPSG","32611"]])";
    georeference.transform = {500000, 1000, 0, 4100000, 0, -1000};
    return georeference;
  }

  ScratchFolder folder_;
};

TEST_F(ImageRead, EveryKindOfTiffIsWhatGdalReads) {
  if (!has_gdal_translate()) GTEST_SKIP() << "no gdal_translate";
  for (const char* options : {"-ot Byte -scale",
                              "-ot UInt16 -scale",
                              "-ot Int16",
                              "-ot Int32",
                              "-ot UInt32 -scale",
                              "-ot Float64",
                              "-co INTERLEAVE=BAND",
                              "-co INTERLEAVE=BAND -co TILED=YES -co BLOCKXSIZE=64 -co BLOCKYSIZE=32",
                              "-co TILED=YES -co BLOCKXSIZE=512 -co BLOCKYSIZE=512",
                              "-co COMPRESS=LZW -co PREDICTOR=3",
                              "-co COMPRESS=DEFLATE -co PREDICTOR=2 -ot Int16",
                              "-co COMPRESS=ZSTD",
                              "-co COMPRESS=PACKBITS",
                              "-co BIGTIFF=YES",
                              "-co ENDIANNESS=BIG",
                              "-co ENDIANNESS=BIG -ot UInt16 -scale -co COMPRESS=LZW",
                              "-b 1 -co BLOCKYSIZE=1",
                              "-b 1 -b 2 -b 3 -b 4 -ot Byte -scale -co PHOTOMETRIC=RGB -co ALPHA=YES",
                              "-b 1 -b 2 -ot Byte -scale -co ALPHA=YES -co INTERLEAVE=BAND",
                              "-b 1 -b 2 -b 3 -ot Byte -scale -co PHOTOMETRIC=YCBCR -co COMPRESS=JPEG",
                              "-a_nodata -1997.75",
                              "-a_nodata nan",
                              "-ot Byte -scale -a_nodata 7",
                              "-mo AREA_OR_POINT=Point",
                              "-a_srs EPSG:4326 -a_ullr -120 40 -119 39.5",
                              "-a_srs EPSG:3857",
                              "-b 1 -b 2 -b 3 -ot Byte -scale -co PHOTOMETRIC=RGB -co COMPRESS=LZW"}) {
    SCOPED_TRACE(options);
    const auto path = translated(options, "variant.tif");
    const data::Raster ours = read_image(path);
    expect_same(ours, read_raster(path));
    const std::string_view text = options;
    EXPECT_EQ(ours.georeference.keys.longitude_latitude(), text.find("EPSG:4326") != std::string_view::npos);
    if (ours.bands > 2) {
      expect_same(read_image(path, {2, 0}), read_raster(path, {2, 0}));
    }
  }
}

TEST_F(ImageRead, EveryKindOfPngIsWhatGdalReads) {
  if (!has_gdal_translate()) GTEST_SKIP() << "no gdal_translate";
  for (const char* options :
       {"-b 1 -ot Byte -scale -of PNG", "-b 1 -ot UInt16 -scale -of PNG", "-b 1 -b 2 -b 3 -ot Byte -scale -of PNG",
        "-b 1 -b 2 -b 3 -b 4 -ot UInt16 -scale -of PNG", "-b 1 -b 2 -ot Byte -scale -of PNG",
        "-b 1 -ot Byte -scale -of PNG -a_nodata 9", "-b 1 -ot Byte -scale 0 60000 0 4 -of PNG -co NBITS=2"}) {
    SCOPED_TRACE(options);
    const auto path = translated(options, "variant.png");
    data::Raster gdals = read_raster(path);
    gdals.georeference = {};  // beside the file, in one that only GDAL knows
    expect_same(read_image(path), gdals);
  }
}

// Both ways: what is written here GDAL reads, down to the projection.
TEST_F(ImageRead, TiffRoundTrip) {
  for (const data::ImageShape shape : {data::ImageShape{5, 7, 1}, {300, 513, 3}, {256, 512, 20}, {1, 1, 4}}) {
    const auto count = static_cast<std::size_t>(shape.height * shape.width * shape.channels);
    const auto floats = noise(count, 5);
    const auto bytes = bytes_of_noise(count, 6);
    data::write_geotiff(folder_ / "gdals.tif", shape, floats, somewhere());
    const data::Raster read = read_image(folder_ / "gdals.tif");
    EXPECT_EQ(read.pixels, floats);
    const auto encoded = data::encode_tiff(shape, floats, read.georeference);
    write_file(folder_ / "ours.tif", {reinterpret_cast<const char*>(encoded.data()), encoded.size()});
    const data::Raster gdals = read_raster(folder_ / "ours.tif");
    expect_same(read_image(folder_ / "ours.tif"), gdals);
    EXPECT_EQ(gdals.pixels, floats);
    EXPECT_EQ(gdals.georeference, read_raster(folder_ / "gdals.tif").georeference);

    const data::Raster eight = data::decode_image(data::encode_tiff(shape, bytes), "bytes");
    EXPECT_EQ(eight.stored, DType::u8);
    EXPECT_EQ(eight.bands, shape.channels);
    EXPECT_EQ(eight.pixels, std::vector<float>(bytes.begin(), bytes.end()));
    EXPECT_FALSE(eight.georeference.present());
  }
}

TEST_F(ImageRead, ATurnedTransformIsKept) {
  data::Georeference turned;
  turned.transform = {10, 0.5, 0.25, 20, 0.125, -0.75};
  const auto raster = data::decode_image(data::encode_tiff({2, 3, 1}, noise(6, 1), turned), "turned");
  EXPECT_EQ(raster.georeference.transform, turned.transform);
}

TEST_F(ImageRead, MistakesAreTold) {
  auto values = noise(6, 1);
  values[4] = std::numeric_limits<float>::infinity();
  expect_input_error(
      [&] {
        (void)data::decode_image(data::encode_tiff({2, 3, 1}, values), "the body");
      },
      "the body", "infinite", "row 1, column 1");
  const auto sound = data::encode_tiff({2, 3, 1}, noise(6, 1));
  expect_input_error([&] { (void)data::decode_image(sound, "the body", {1}); }, "the body", "no band 2");
  expect_input_error([&] { (void)data::decode_image(sound, "the body", {}, 5); }, "the body", "6 values");
  const auto png = data::encode_png({2, 3, 1}, bytes_of_noise(6, 1));
  expect_input_error([&] { (void)data::decode_image(png, "the body", {}, 5); }, "the body", "6 values");
  expect_input_error([&] { (void)data::decode_image(as_bytes("GIF89a"), "the body"); }, "the body", "neither");
  expect_input_error([&] { (void)data::decode_image({}, "the body"); }, "the body", "empty");
  expect_input_error([&] { (void)read_image(folder_ / "none.png"); }, "none.png");
  expect_input_error([&] { (void)read_image(folder_ / ""); }, "plume-test");
}

// Rows are shorter than the pixels that they stand for: who takes pixels one after the other reads beyond their end.
TEST_F(ImageRead, SubsampledColoursAreRefused) {
  for (const auto& [across, down] : {std::pair{2, 1}, {2, 2}, {4, 4}}) {
    constexpr int edge = 64;
    data::TiffHandle tiff(false);
    for (const auto& [tag, value] : {std::pair{TIFFTAG_IMAGEWIDTH, edge},
                                     {TIFFTAG_IMAGELENGTH, edge},
                                     {TIFFTAG_ROWSPERSTRIP, edge},
                                     {TIFFTAG_BITSPERSAMPLE, 8},
                                     {TIFFTAG_SAMPLESPERPIXEL, 3},
                                     {TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_YCBCR}})
      TIFFSetField(tiff, tag, value);
    TIFFSetField(tiff, TIFFTAG_YCBCRSUBSAMPLING, across, down);
    std::vector<std::uint8_t> blocks(static_cast<std::size_t>(TIFFStripSize(tiff)));
    ASSERT_LT(blocks.size(), std::size_t{edge} * edge * 3);
    ASSERT_GT(TIFFWriteEncodedStrip(tiff, 0, blocks.data(), std::ssize(blocks)), 0);
    ASSERT_TRUE(tiff.finish());
    const auto bytes = tiff.take();
    expect_input_error([&] { (void)data::decode_image(bytes, "the body"); }, "the body", "YCbCr");
  }
}

TEST_F(ImageRead, SamplesThatNobodyAskedForMayNotMakeTheWork) {
  const auto tiff = data::encode_tiff({20, 30, 9}, noise(20 * 30 * 9, 1));
  EXPECT_EQ(data::decode_image(tiff, "the body", {8}, 2 * 20 * 30).bands, 1);
  expect_input_error([&] { (void)data::decode_image(tiff, "the body", {8}, 20 * 30); }, "the body", "9 samples");
}

// Cut anywhere and changed anywhere, a file is read or refused; a claim of many pixels is refused before memory is
// taken.
TEST_F(ImageRead, DamageIsReadOrRefused) {
  const auto tiff = data::encode_tiff({20, 30, 2}, noise(1200, 1), somewhere());
  const auto png = data::encode_png({20, 30, 3}, bytes_of_noise(1800, 1));
  int refused = 0;
  Philox draw(7, 1);
  for (const auto* sound : {&tiff, &png}) {
    for (int attempt = 0; attempt < 3000; ++attempt) {
      auto bytes = *sound;
      if (attempt % 3 == 0) bytes.resize(draw.next() % bytes.size());
      // Most of all where the format speaks of itself: a TIFF does so at its end too.
      const std::size_t reach = attempt % 2 == 0 ? bytes.size() : std::min<std::size_t>(bytes.size(), 64);
      for (std::uint32_t change = 0; change < draw.next() % 4 && reach > 0; ++change) {
        const std::size_t place = draw.next() % reach;
        bytes[attempt % 4 == 1 ? bytes.size() - 1 - place : place] = static_cast<std::byte>(draw.next());
      }
      try {
        (void)data::decode_image(bytes, "the body", {}, 1 << 20);
      } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::input) << error.what();
        EXPECT_EQ(std::string_view(error.what()).find('\n'), std::string_view::npos);
        ++refused;
      }
    }
  }
  EXPECT_GT(refused, 2000);
}

TEST_F(ImageRead, RealTilesAreWhatGdalReads) {
  const auto tiles = real_data() / "goes16_tiles";
  if (!std::filesystem::exists(tiles)) GTEST_SKIP() << "no tiles at " << tiles;
  std::vector<std::filesystem::path> paths = data::list_rasters(tiles / "original_float32");
  const auto more = data::list_rasters(tiles / "tiles");
  paths.insert(paths.end(), more.begin(), more.begin() + 20);
  for (const auto& path : paths) {
    SCOPED_TRACE(path);
    const data::Raster ours = read_image(path);
    expect_same(ours, read_raster(path));
    EXPECT_TRUE(ours.georeference.keys.longitude_latitude());
  }
}

}  // namespace
}  // namespace plume::tests
