// Checksums find the damaged tile, whichever byte it is; shards of format 1 still open.
#include "data/shards/verify.hpp"

#include <gtest/gtest.h>
#include <hdf5.h>

#include "../expect_error.hpp"
#include "../scratch_folder.hpp"
#include "data/shards/shard.hpp"
#include "kernels/base/philox.hpp"
#include "tiles.hpp"

namespace plume::tests {
namespace {

std::size_t offset_of(const std::filesystem::path& path, const char* dataset) {
  const auto file = H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT);
  const auto opened = H5Dopen2(file, dataset, H5P_DEFAULT);
  const auto offset = H5Dget_offset(opened);
  H5Dclose(opened);
  H5Fclose(file);
  return static_cast<std::size_t>(offset);
}

TEST(Verify, NamesExactlyTheDamagedTiles) {
  const ScratchFolder folder;
  const auto path = folder / "a.h5";
  write_shard(path, 9);
  EXPECT_EQ(data::damaged_tiles(data::Shard(path)), std::vector<int>());
  const auto whole = read_file(path);
  constexpr std::size_t image = 24 * 24 * 3;
  constexpr std::size_t labels = 24 * 24;
  const auto images_at = offset_of(path, "images");
  const auto labels_at = offset_of(path, "labels");
  Philox draw(1, 7);
  for (int round = 0; round < 50; ++round) {
    const auto first = draw.below(9);
    const auto second = draw.below(9);
    auto bytes = whole;
    bytes[images_at + first * image + draw.below(image)] ^= static_cast<char>(1U << draw.below(8));
    bytes[labels_at + second * labels + draw.below(labels)] ^= static_cast<char>(1U << draw.below(8));
    write_file(path, bytes);
    std::vector<int> expected{static_cast<int>(std::min(first, second))};
    if (first != second) expected.push_back(static_cast<int>(std::max(first, second)));
    EXPECT_EQ(data::damaged_tiles(data::Shard(path)), expected);
  }
}

// Names, splits and the other tables.
TEST(Verify, AShardWhoseTablesAreDamagedDoesNotOpen) {
  const ScratchFolder folder;
  const auto path = folder / "a.h5";
  write_shard(path, 9);
  const auto whole = read_file(path);
  const std::string name = data::Shard(path).info().name[4];
  int places = 0;
  for (auto at = whole.find(name); at != std::string::npos; at = whole.find(name, at + 1), ++places) {
    auto bytes = whole;
    bytes[at] ^= 1;
    write_file(path, bytes);
    expect_input_error([&] { const data::Shard shard(path); }, "a.h5");
  }
  EXPECT_GT(places, 0);
}

// tests/golden/shard_v1.h5 was packed by the last program that wrote format 1: tile i of t0 to t3 is
// (3 * arange(128) + 17 * i) % 256 as 8x8x2 bytes, and its first i rows hold the class in two columns.
TEST(ShardFormat, OneStillOpens) {
  const data::Shard shard(std::filesystem::path(PLUME_SOURCE_DIR) / "tests/golden/shard_v1.h5");
  const auto& info = shard.info();
  EXPECT_EQ(info.tiles, 4);
  EXPECT_EQ(info.name[3], "t3");
  EXPECT_EQ(info.split[2], data::Split::val);
  EXPECT_EQ(info.scale, (std::vector<float>{1, 1}));
  EXPECT_EQ(info.offset, (std::vector<float>{0, 0}));
  EXPECT_TRUE(info.checksum.empty());
  EXPECT_EQ(shard.foreground_fraction(3), 6.0F / 64);
  std::vector<float> pixels(128);
  shard.read(3, {}, {}, pixels.data());
  for (int i = 0; i < 128; ++i) EXPECT_EQ(pixels[static_cast<std::size_t>(i)], static_cast<float>((3 * i + 51) % 256));
  EXPECT_EQ(shard.labels(3)[17], 1);
  EXPECT_EQ(shard.labels(3)[18], 0);
  expect_input_error([&] { (void)data::damaged_tiles(shard); }, "shard_v1.h5", "no checksums");
}

TEST(ShardFormat, AnUnknownOneIsNamed) {
  const ScratchFolder folder;
  write_shard(folder / "a.h5", 2);
  const auto file = H5Fopen((folder / "a.h5").c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
  const auto version = H5Aopen(file, "format_version", H5P_DEFAULT);
  const int next = data::shard_format_version + 1;
  H5Awrite(version, H5T_NATIVE_INT, &next);
  H5Aclose(version);
  H5Fclose(file);
  expect_input_error([&] { const data::Shard shard(folder / "a.h5"); }, "a.h5", "format 3", "formats 1 to 2");
}

}  // namespace
}  // namespace plume::tests
