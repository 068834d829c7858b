// Packing folders of tiles and masks: what the shard holds, the same bytes every time, and every refusal.
#include "data/shards/pack.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <limits>

#include "../expect_error.hpp"
#include "../scratch_folder.hpp"
#include "../small_disk.hpp"
#include "data/formats/geotiff_write.hpp"
#include "data/formats/raster_read.hpp"
#include "data/images/npy.hpp"
#include "data/images/png.hpp"
#include "data/shards/shard.hpp"
#include "kernels/loss.hpp"
#include "tiles.hpp"

namespace plume::tests {
namespace {

class Pack : public ::testing::Test {
 protected:
  // Nothing but what was there before: no shard, no temporary.
  void expect_nothing_left() const {
    for (const auto& entry : std::filesystem::directory_iterator(folder_ / ""))
      EXPECT_TRUE(entry.is_directory() || entry.path().extension() == ".csv") << entry.path();
  }
  template <class... Parts>
  void refused(const FolderPacking& options, const Parts&... parts) {
    expect_input_error([&] { (void)pack(options); }, parts...);
    expect_nothing_left();
  }
  std::filesystem::path root() const { return folder_ / ""; }
  ScratchFolder folder_;
};

TEST_F(Pack, HoldsWhatTheFilesHold) {
  add_tiles(root(), 9);
  write_file(
      folder_ / "split.csv",
      "tile,split\nt00,train\nt01,train\nt02,val\nt03,test\nt04,train\nt05,train\nt06,val\nt07,train\nt08,train\n");
  auto options = pack_options(root());
  options.split_csv = folder_ / "split.csv";
  int last = 0;
  const auto report = pack(options, [&](int done, int total) {
    EXPECT_EQ(done, ++last);
    EXPECT_EQ(total, 9);
  });
  EXPECT_EQ(last, 9);
  EXPECT_EQ(report.split, (std::array{6, 2, 1}));
  EXPECT_EQ(report.positive_tiles, (std::array{1, 1, 1}));
  EXPECT_DOUBLE_EQ(report.positive_fraction, 3 * 36.0 / (9 * 576));

  const data::Shard shard(options.output);
  const auto& info = shard.info();
  EXPECT_EQ(info.tiles, 9);
  EXPECT_EQ(info.bands, 3);
  EXPECT_EQ(info.name[4], "t04");
  EXPECT_EQ(info.tile_file[4], "t04.tif");
  EXPECT_EQ(info.mask_file[4], "t04.png");
  EXPECT_EQ(shard.tiles(data::Split::val).size(), 2U);
  EXPECT_EQ(shard.foreground_fraction(0), 36.0F / 576);
  EXPECT_EQ(shard.foreground_fraction(1), 0);
  std::vector<double> sum(3);
  for (int tile = 0; tile < 9; ++tile) {
    const auto raster = data::read_raster(root() / "tiles" / info.tile_file[static_cast<std::size_t>(tile)]);
    std::vector<float> pixels(raster.pixels.size());
    shard.read(tile, {}, {}, pixels.data());
    EXPECT_EQ(pixels, raster.pixels);
    EXPECT_EQ(info.georeference[static_cast<std::size_t>(tile)], raster.georeference);
    if (info.split[static_cast<std::size_t>(tile)] != data::Split::train) continue;
    for (std::size_t i = 0; i < pixels.size(); ++i) sum[i % 3] += static_cast<double>(pixels[i]);
  }
  for (std::size_t band = 0; band < 3; ++band) EXPECT_NEAR(info.mean[band], sum[band] / (6 * 576), 1e-4);
}

TEST_F(Pack, SameBytesWhateverTheThreads) {
  add_tiles(root(), 12);
  auto options = pack_options(root());
  options.threads = 1;
  pack(options);
  const auto once = read_file(options.output);
  for (const int threads : {2, 5}) {
    options.threads = threads;
    pack(options);
    EXPECT_TRUE(read_file(options.output) == once) << threads;
  }
}

TEST_F(Pack, EveryStoredType) {
  std::filesystem::create_directories(root() / "tiles");
  std::filesystem::create_directories(root() / "masks");
  const std::vector<std::uint8_t> mask(16, 1);
  std::vector<float> values(32);
  for (std::size_t i = 0; i < 32; ++i) values[i] = static_cast<float>(i) * 0.25F;
  for (const char* name : {"a", "b"}) {
    data::write_npy(root() / "tiles" / (std::string(name) + ".npy"), std::vector<std::int64_t>{4, 4, 2},
                    std::span<const float>(values));
    data::write_npy(root() / "masks" / (std::string(name) + ".npy"), std::vector<std::int64_t>{4, 4},
                    std::span<const std::uint8_t>(mask));
  }
  auto options = pack_options(root());
  options.val = 0.5;
  options.test = 0;
  options.bands = {1};
  pack(options);
  const data::Shard shard(options.output);
  EXPECT_EQ(shard.info().dtype, DType::f32);
  EXPECT_EQ(shard.info().bands, 1);
  std::vector<float> pixels(16);
  const std::vector<float> mean{1};
  const std::vector<float> std{2};
  shard.read(1, mean, std, pixels.data());
  for (std::size_t i = 0; i < 16; ++i) EXPECT_EQ(pixels[i], (values[2 * i + 1] - 1) / 2);

  std::string u16 = read_file(root() / "tiles" / "a.npy");
  u16.replace(u16.find("<f4"), 3, "<u2").resize(u16.size() - 64);
  for (const char* name : {"a.npy", "b.npy"}) write_file(root() / "tiles" / name, u16);
  pack(options);
  const data::Shard wide(options.output);
  EXPECT_EQ(wide.info().dtype, DType::u16);
  EXPECT_EQ(wide.image(0).size(), 32U);
}

TEST_F(Pack, FillAndAlphaAreIgnored) {
  add_tiles(root(), 3);
  std::vector<std::uint8_t> rgba(24 * 24 * 4, 100);
  for (std::size_t pixel = 0; pixel < 24; ++pixel) rgba[pixel * 4 + 3] = 0;
  std::filesystem::remove(root() / "tiles" / "t01.tif");
  data::write_png(root() / "tiles" / "t01.png", {24, 24, 4}, rgba);
  auto options = pack_options(root());
  const auto report = pack(options);
  EXPECT_EQ(report.ignored_pixels, 24);
  const data::Shard shard(options.output);
  EXPECT_EQ(shard.labels(1)[23], kernels::ignore_label);
  EXPECT_EQ(shard.labels(1)[24], 0);
}

TEST_F(Pack, AMasksTransparentBackgroundIsBackground) {
  add_tiles(root(), 3);
  for (const char* name : {"t00", "t01", "t02"}) {
    // 0 marked as nodata, as gdal_rasterize -a_nodata 0 does.
    write_file(root() / "masks" / (std::string(name) + ".vrt"),
               "<VRTDataset rasterXSize=\"24\" rasterYSize=\"24\"><VRTRasterBand dataType=\"Byte\" band=\"1\">"
               "<NoDataValue>0</NoDataValue><SimpleSource><SourceFilename relativeToVRT=\"1\">../" +
                   std::string(name) +
                   ".png</SourceFilename><SourceBand>1</SourceBand></SimpleSource></VRTRasterBand></VRTDataset>");
    std::filesystem::rename(root() / "masks" / (std::string(name) + ".png"), root() / (std::string(name) + ".png"));
  }
  const auto report = pack(pack_options(root()));
  EXPECT_EQ(report.ignored_pixels, 0);
  EXPECT_DOUBLE_EQ(report.positive_fraction, 36.0 / (3 * 576));
}

TEST_F(Pack, UnmatchedTilesAndMasks) {
  add_tiles(root(), 4);
  std::filesystem::remove(root() / "masks" / "t01.png");
  std::filesystem::remove(root() / "masks" / "t02.png");
  refused(pack_options(root()), "t01.tif", "1 others", "no mask");
  std::filesystem::remove(root() / "tiles" / "t01.tif");
  std::filesystem::remove(root() / "tiles" / "t02.tif");
  std::filesystem::remove(root() / "tiles" / "t03.tif");
  refused(pack_options(root()), "t03.png", "no tile");
}

TEST_F(Pack, SizesBandsAndTypesMustAgree) {
  add_tiles(root(), 4);
  add_tile(root(), "t02", 2, 0, 0, {.height = 16});
  refused(pack_options(root()), "t02.tif", "16x24", "t00.tif", "24x24");
  add_tile(root(), "t02", 2, 0, 0, {.bands = 4});
  refused(pack_options(root()), "t02.tif", "4 bands", "t00.tif", "--bands 1-3");
  auto chosen = pack_options(root());
  chosen.bands = {0, 1};
  EXPECT_EQ(pack(chosen).shape.bands, 2);
  std::filesystem::remove(chosen.output);
  data::write_geotiff(root() / "tiles" / "t02.tif", {24, 24, 3}, std::vector<float>(24 * 24 * 3), {});
  refused(pack_options(root()), "t02.tif", "f32", "u8");
  add_tile(root(), "t02", 2, 0, 0);
  data::write_png(root() / "masks" / "t02.png", {24, 23, 1}, std::vector<std::uint8_t>(24 * 23));
  refused(pack_options(root()), "t02.png", "24x23", "t02.tif", "24x24");
}

TEST_F(Pack, TooManyBandsNeedAChoice) {
  add_tiles(root(), 3, {.bands = 17});
  refused(pack_options(root()), "17 bands", "--bands 1-6");
}

TEST_F(Pack, BadPixelsAndMasksAreNamed) {
  add_tiles(root(), 4);
  data::write_png(root() / "masks" / "t03.png", {24, 24, 1}, std::vector<std::uint8_t>(24 * 24, 9));
  refused(pack_options(root()), "t03.png", "9", "row 0");
  for (const char* name : {"t00", "t01", "t02", "t03"}) {
    std::vector<float> values(24 * 24 * 3, 1);
    if (std::string_view(name) == "t02") values[5] = std::numeric_limits<float>::quiet_NaN();
    data::write_geotiff(root() / "tiles" / (std::string(name) + ".tif"), {24, 24, 3}, values, {});
  }
  // Of several bad files the first by name is reported, whatever the threads' timing.
  for (int round = 0; round < 10; ++round) refused(pack_options(root()), "t02.tif", "NaN", "band 3");
  write_file(root() / "tiles" / "t00.tif", read_file(root() / "tiles" / "t00.tif").substr(0, 200));
  refused(pack_options(root()), "t00.tif");
}

TEST_F(Pack, NoFolderToWriteTo) {
  add_tiles(root(), 3);
  auto options = pack_options(root());
  options.output = folder_ / "none/pack.h5";
  expect_error(
      ErrorKind::environment, [&] { pack(options); }, "none/pack.h5");
}

TEST_F(Pack, AFullDiskLeavesNothing) {
  add_tiles(root(), 12);
  const SmallDisk disk(16 << 10);
  if (!disk.mounted()) GTEST_SKIP() << "mounting a small file system needs root";
  auto options = pack_options(root());
  options.output = disk.root() / "pack.h5";
  expect_error(
      ErrorKind::environment, [&] { pack(options); }, "pack.h5", "room");
  EXPECT_TRUE(std::filesystem::is_empty(disk.root()));
}

TEST_F(Pack, AFileSizeLimitLeavesNothing) {
  add_tiles(root(), 6);
  {
    const FileSizeLimit limit(8192);
    expect_error(
        ErrorKind::environment, [&] { pack(pack_options(root())); }, "pack.h5", "room");
  }
  expect_nothing_left();
}

TEST_F(Pack, OtherProgramsReadIt) {
  if (std::system("/usr/bin/python3 -c 'import h5py' 2>/dev/null") != 0)
    GTEST_SKIP() << "python3-h5py is not installed";
  add_tiles(root(), 6);
  pack(pack_options(root()));
  const auto script = R"(/usr/bin/python3 -c "
import h5py, numpy
f = h5py.File(')" + (root() / "pack.h5").string() +
                      R"(')
assert f['images'].shape == (6, 24, 24, 3) and f['images'].dtype == numpy.uint8 and f['images'].chunks is None
assert f['labels'][0].sum() == 36 and f['labels'][0, 2, 3] == 1
assert [n.decode() for n in f['tile_name'][:]] == ['t00', 't01', 't02', 't03', 't04', 't05']
assert f['geotransform'][1, 0] > -120 and f['projection'].shape == (6,) and f['split'].shape == (6,)
train = f['images'][:][f['split'][:] == 0].reshape(-1, 3).astype(float)
assert numpy.allclose(train.mean(0), f.attrs['mean'], atol=1e-4) and numpy.allclose(train.std(0), f.attrs['std'], atol=1e-4)
assert f.attrs['format_version'] == 2
assert f.attrs['bands'] == 3 and f.attrs['classes'] == 1
assert list(f.attrs['scale']) == [1, 1, 1] and list(f.attrs['offset']) == [0, 0, 0] and f.attrs['creator'].startswith(b'plume')
assert numpy.isclose(f['positive_fraction'][0, 0], 36 / 576)
")";
  EXPECT_EQ(std::system(script.c_str()), 0);
}

}  // namespace
}  // namespace plume::tests
