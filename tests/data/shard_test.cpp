// Opening damaged shards: truncated, empty, random and flipped bytes end in one clear line, never in a crash.
#include "data/shards/shard.hpp"

#include <gtest/gtest.h>
#include <hdf5.h>

#include <numeric>

#include "../expect_error.hpp"
#include "../scratch_folder.hpp"
#include "kernels/base/philox.hpp"
#include "tiles.hpp"

// Read by AddressSanitizer where it is linked: a damaged size makes HDF5 ask for more memory than there is, and to be
// given none, as malloc does, is what it is prepared for.
extern "C" const char* __asan_default_options();  // NOLINT(bugprone-reserved-identifier)
extern "C" const char* __asan_default_options() {
  return "allocator_may_return_null=1";
}

// HDF5 keeps memory of its own to the end, and forgets some when it refuses a file: by library where it is a shared
// one, by function where it is linked statically.
extern "C" const char* __lsan_default_suppressions();  // NOLINT(bugprone-reserved-identifier)
extern "C" const char* __lsan_default_suppressions() {
  return "leak:libhdf5\nleak:^H5FL_";
}

namespace plume::tests {
namespace {

class DamagedShard : public ::testing::Test {
 protected:
  void SetUp() override {
    add_tiles(folder_ / "", 4, {.height = 8, .width = 8, .bands = 2});
    auto options = pack_options(folder_ / "");
    options.test = 0;
    pack(options);
    whole_ = read_file(options.output);
  }

  std::filesystem::path path() const { return folder_ / "bad.h5"; }

  void refused(std::string_view bytes, std::string_view reason = "") {
    write_file(path(), bytes);
    expect_input_error([&] { const data::Shard shard(path()); }, "bad.h5", reason);
  }

  // Opens and reads everything; whatever the bytes, the outcome is data or an input_error.
  void survives(std::string_view bytes) {
    write_file(path(), bytes);
    try {
      const data::Shard shard(path());
      const auto& info = shard.info();
      std::vector<float> pixels(shard.image(0).size());
      std::vector<std::uint8_t> labels(shard.labels(0).size());
      for (int tile = 0; tile < info.tiles; ++tile) {
        shard.read(tile, info.mean, info.std, pixels.data());
        shard.read_labels(tile, {0, 0, info.height, info.width}, labels.data());
      }
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::input) << error.what();
    }
  }

  ScratchFolder folder_;
  std::string whole_;
};

TEST_F(DamagedShard, MissingEmptyAndRandom) {
  ::testing::internal::CaptureStderr();
  expect_input_error([&] { const data::Shard shard(folder_ / "none.h5"); }, "none.h5");
  refused("", "empty");
  Philox draw(1, 1);
  std::string random(20000, ' ');
  for (auto& byte : random) byte = static_cast<char>(draw.next());
  refused(random, "not an HDF5 file");
  refused(whole_.substr(0, 8) + random, "not an HDF5 file");
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
}

TEST_F(DamagedShard, EveryTruncationIsRefused) {
  ::testing::internal::CaptureStderr();
  for (std::size_t length = 0; length < whole_.size(); length += length < 200 ? 7 : 211)
    refused(whole_.substr(0, length));
  refused(whole_.substr(0, whole_.size() - 1));
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
}

TEST_F(DamagedShard, FlippedBytesNeverCrash) {
  Philox draw(9, 9);
  for (int round = 0; round < 1500; ++round) {
    auto damaged = whole_;
    const auto count = 1 + draw.below(4);
    // The pixels fill most of the file; aim at the metadata, which lies at the front and the end.
    for (std::uint32_t i = 0; i < count; ++i) {
      const auto place = draw.below(4096);
      const auto at = draw.below(2) == 0 ? place % 2048 : damaged.size() - 1 - place % (damaged.size() - 8192);
      damaged[at] ^= static_cast<char>(1 + draw.below(255));
    }
    survives(damaged);
  }
}

TEST_F(DamagedShard, AnotherProgramsFileIsRefusedByWhatItLacks) {
  const auto file = H5Fcreate(path().c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  H5Fclose(file);
  expect_input_error([&] { const data::Shard shard(path()); }, "bad.h5", "format_version");
}

TEST_F(DamagedShard, LabelsThatAreNoClassAreNamed) {
  write_file(path(), whole_);
  std::size_t offset = 0;
  {
    const auto file = H5Fopen(path().c_str(), H5F_ACC_RDONLY, H5P_DEFAULT);
    const auto labels = H5Dopen2(file, "labels", H5P_DEFAULT);
    offset = H5Dget_offset(labels);
    H5Dclose(labels);
    H5Fclose(file);
  }
  auto damaged = whole_;
  damaged[offset + 64 + 5] = 7;  // tile t01
  write_file(path(), damaged);
  const data::Shard shard(path());
  std::vector<std::uint8_t> labels(64);
  expect_input_error([&] { shard.read_labels(1, {0, 0, 8, 8}, labels.data()); }, "bad.h5", "t01", "label 7");
  EXPECT_NO_THROW(shard.read_labels(1, {1, 0, 7, 8}, labels.data()));
}

TEST_F(DamagedShard, WindowsAreCutOut) {
  const data::Shard shard(folder_ / "pack.h5");
  std::vector<float> whole(8 * 8 * 2);
  std::vector<float> part(3 * 4 * 2);
  shard.read(2, {}, {}, whole.data());
  shard.read(2, {5, 1, 3, 4}, {}, {}, part.data());
  for (std::size_t row = 0; row < 3; ++row) {
    for (std::size_t i = 0; i < 8; ++i) EXPECT_EQ(part[row * 8 + i], whole[(row + 5) * 16 + 2 + i]);
  }
}

TEST_F(DamagedShard, RawWindowsAreCutOutOfImagesAndLabels) {
  const data::Shard shard(folder_ / "pack.h5");
  for (const data::Window& window : {data::Window{5, 1, 3, 4}, {2, 0, 4, 8}, {0, 0, 8, 8}}) {
    const auto height = static_cast<std::size_t>(window.height);
    const auto width = static_cast<std::size_t>(window.width);
    std::vector<std::byte> image(height * width * 2);
    std::vector<std::uint8_t> labels(height * width);
    shard.read_raw(3, window, image.data());
    shard.read_labels(3, window, labels.data());
    for (std::size_t pixel = 0; pixel < labels.size(); ++pixel) {
      const std::size_t from = (static_cast<std::size_t>(window.row) + pixel / width) * 8 +
                               static_cast<std::size_t>(window.column) + pixel % width;
      EXPECT_EQ(labels[pixel], shard.labels(3)[from]);
      for (std::size_t band = 0; band < 2; ++band) EXPECT_EQ(image[pixel * 2 + band], shard.image(3)[from * 2 + band]);
    }
  }
}

}  // namespace
}  // namespace plume::tests
