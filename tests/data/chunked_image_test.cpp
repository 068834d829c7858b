// Chunks that plume inflates itself are what HDF5 and NetCDF-C read of the same files.
#include "data/formats/chunked_image.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <functional>
#include <numeric>
#include <span>
#include <thread>

#include "../expect_error.hpp"
#include "../real_data.hpp"
#include "../scratch_folder.hpp"
#include "data/formats/netcdf.hpp"
#include "data/synth/scenes.hpp"

namespace plume::tests {
namespace {

using data::ChunkedImage;
using data::PixelWindow;

constexpr std::array<hsize_t, 2> shape{37, 53};  // chunks of 10 x 16 reach beyond it
constexpr std::array<hsize_t, 2> chunk{10, 16};
constexpr std::size_t pixels = shape[0] * shape[1];

std::vector<std::int16_t> wavy_pixels() {
  std::vector<std::int16_t> values(pixels);
  for (std::size_t i = 0; i < pixels; ++i) values[i] = static_cast<std::int16_t>(300 + i % 7 * 1000 + i / 90);
  return values;
}

// Writes "Rad" in chunks, with what `filter` puts into its properties; `change` has the last word on the dataset.
void write_image(const std::filesystem::path& path, const std::function<void(hid_t)>& filter,
                 const std::function<void(hid_t)>& change) {
  const data::Hdf5Session session;
  data::Hdf5File file(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT));
  const data::Hdf5Space space(H5Screate_simple(2, shape.data(), nullptr));
  const data::Hdf5Properties properties(H5Pcreate(H5P_DATASET_CREATE));
  ASSERT_GE(H5Pset_chunk(properties.id(), 2, chunk.data()), 0);
  filter(properties.id());
  data::Hdf5Dataset dataset(
      H5Dcreate2(file.id(), "Rad", H5T_STD_I16LE, space.id(), H5P_DEFAULT, properties.id(), H5P_DEFAULT));
  ASSERT_TRUE(dataset);
  change(dataset.id());
  ASSERT_TRUE(dataset.reset());
  ASSERT_TRUE(file.reset());
}

void write_pixels(hid_t dataset) {
  const auto values = wavy_pixels();
  ASSERT_GE(H5Dwrite(dataset, H5T_NATIVE_INT16, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()), 0);
}

// Puts `bytes` in the place of the pixels' chunk that begins at `corner`.
void write_chunk(hid_t dataset, const std::array<hsize_t, 2>& corner, std::uint32_t skipped,
                 std::span<const std::byte> bytes) {
  write_pixels(dataset);
  ASSERT_GE(H5Dwrite_chunk(dataset, H5P_DEFAULT, skipped, corner.data(), bytes.size(), bytes.data()), 0);
}

void deflate(hid_t properties) {
  ASSERT_GE(H5Pset_deflate(properties, 1), 0);
}

void shuffle_and_deflate(hid_t properties) {
  ASSERT_GE(H5Pset_shuffle(properties), 0);
  deflate(properties);
}

void nothing(hid_t) {}

std::vector<std::int16_t> part_of(const std::vector<std::int16_t>& all, const PixelWindow& window) {
  std::vector<std::int16_t> part;
  for (std::size_t row = window.row; row < window.row + window.height; ++row) {
    const auto* const first = all.data() + row * shape[1] + window.column;
    part.insert(part.end(), first, first + window.width);
  }
  return part;
}

std::vector<std::int16_t> read(const ChunkedImage& image, const PixelWindow& window) {
  std::vector<std::int16_t> values(window.pixels());
  image.read(window, std::as_writable_bytes(std::span(values)).data());
  return values;
}

constexpr PixelWindow whole{0, 0, shape[0], shape[1]};
// Within a chunk, across its borders, one pixel, the chunks that reach beyond the image, none.
constexpr std::array windows{whole,
                             PixelWindow{11, 17, 3, 5},
                             PixelWindow{5, 10, 20, 30},
                             PixelWindow{20, 32, 1, 1},
                             PixelWindow{30, 40, 7, 13},
                             PixelWindow{3, 3, 0, 0}};

class ChunkedImageFilters : public ::testing::TestWithParam<void (*)(hid_t)> {};

TEST_P(ChunkedImageFilters, GivesWhatWasWritten) {
  const ScratchFolder folder;
  write_image(folder / "a.nc", GetParam(), write_pixels);
  const auto image = ChunkedImage::open(folder / "a.nc", "Rad");
  ASSERT_NE(image, nullptr);
  EXPECT_EQ(image->height(), shape[0]);
  EXPECT_EQ(image->width(), shape[1]);
  for (const PixelWindow& window : windows) EXPECT_EQ(read(*image, window), part_of(wavy_pixels(), window));
}

INSTANTIATE_TEST_SUITE_P(Pipelines, ChunkedImageFilters, ::testing::Values(nothing, deflate, shuffle_and_deflate));

TEST(ChunkedImage, WhatWasNeverWrittenIsFill) {
  const ScratchFolder folder;
  const auto fill_and_deflate = [](hid_t properties) {
    const std::int16_t fill = 1023;
    ASSERT_GE(H5Pset_fill_value(properties, H5T_NATIVE_INT16, &fill), 0);
    deflate(properties);
  };
  write_image(folder / "a.nc", fill_and_deflate, nothing);
  const auto image = ChunkedImage::open(folder / "a.nc", "Rad");
  ASSERT_NE(image, nullptr);
  EXPECT_EQ(read(*image, whole), std::vector<std::int16_t>(pixels, 1023));
}

// HDF5 leaves a filter out where it makes a chunk no smaller, and says so with that chunk.
TEST(ChunkedImage, AChunkMayDoWithoutAFilter) {
  const ScratchFolder folder;
  std::vector<std::int16_t> first(chunk[0] * chunk[1]);
  std::iota(first.begin(), first.end(), std::int16_t{7});
  write_image(folder / "a.nc", deflate, [&](hid_t data) {
    write_chunk(data, {0, 0}, 1, std::as_bytes(std::span(first)));
  });
  const auto image = ChunkedImage::open(folder / "a.nc", "Rad");
  ASSERT_NE(image, nullptr);
  EXPECT_EQ(read(*image, {0, 0, chunk[0], chunk[1]}), first);
  EXPECT_EQ(read(*image, {10, 16, 9, 9}), part_of(wavy_pixels(), {10, 16, 9, 9}));
}

TEST(ChunkedImage, OtherFiltersAndLayoutsAreLeftToHdf5) {
  const ScratchFolder folder;
  write_image(
      folder / "a.nc", [](hid_t properties) { ASSERT_GE(H5Pset_fletcher32(properties), 0); }, write_pixels);
  EXPECT_EQ(ChunkedImage::open(folder / "a.nc", "Rad"), nullptr);
  EXPECT_EQ(ChunkedImage::open(folder / "a.nc", "CMI"), nullptr);
  write_image(
      folder / "b.nc", [](hid_t properties) { ASSERT_GE(H5Pset_layout(properties, H5D_CONTIGUOUS), 0); }, write_pixels);
  EXPECT_EQ(ChunkedImage::open(folder / "b.nc", "Rad"), nullptr);
  write_file(folder / "text.nc", "no HDF5 at all");
  EXPECT_EQ(ChunkedImage::open(folder / "text.nc", "Rad"), nullptr);
}

// Whoever reads it, and however often; other chunks are as good as ever.
TEST(ChunkedImage, ADamagedChunkIsOneLine) {
  struct Damage {
    std::string bytes;
    std::uint32_t skipped;
    const char* why;
  };
  const ScratchFolder folder;
  for (const auto& [bytes, skipped, why] :
       {Damage{std::string(60, 'x'), 0, "cannot be inflated"}, Damage{std::string(60, 'x'), 1, "another size"},
        Damage{std::string(4096, 'x'), 0, "too large"}}) {
    write_image(folder / "a.nc", deflate, [&](hid_t data) {
      write_chunk(data, {0, chunk[1]}, skipped, std::as_bytes(std::span(bytes)));
    });
    const auto image = ChunkedImage::open(folder / "a.nc", "Rad");
    ASSERT_NE(image, nullptr);
    const PixelWindow beside{0, 0, chunk[0], chunk[1]};
    EXPECT_EQ(read(*image, beside), part_of(wavy_pixels(), beside));
    for (int i = 0; i < 2; ++i) {
      std::jthread([&image, reason = why] {
        expect_input_error([&] { (void)read(*image, whole); }, "cannot read Rad", "a.nc", reason, "damaged?");
      }).join();
    }
  }
}

TEST(ChunkedImage, ManyThreadsReadTheSame) {
  const ScratchFolder folder;
  write_image(folder / "a.nc", shuffle_and_deflate, write_pixels);
  const auto image = ChunkedImage::open(folder / "a.nc", "Rad");
  ASSERT_NE(image, nullptr);
  std::vector<std::jthread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (const PixelWindow& window : windows) EXPECT_EQ(read(*image, window), part_of(wavy_pixels(), window));
    });
  }
}

// As stored, through NetcdfFile, and through NetCDF-C alone.
template <class T>
void expect_same(const data::NetcdfFile& file, const std::string& name) {
  const auto variable = file.variable(name);
  ASSERT_NE(ChunkedImage::open(file.path(), name), nullptr) << file.path() << " " << name;
  const PixelWindow all{0, 0, variable.shape[0], variable.shape[1]};
  std::vector<T> ours(all.pixels());
  file.read(variable, all, ours.data());
  std::vector<T> theirs(all.pixels());
  {
    const data::NetcdfLock lock;
    int id = -1;
    ASSERT_EQ(data::netcdf().open(file.path().c_str(), NC_NOWRITE, &id), NC_NOERR);
    ASSERT_EQ(data::netcdf().get(id, variable.id, theirs.data()), NC_NOERR);
    ASSERT_EQ(data::netcdf().close(id), NC_NOERR);
  }
  EXPECT_EQ(ours, theirs) << file.path() << " " << name;
}

int expect_all_same(const std::filesystem::path& folder) {
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() != ".nc") continue;
    const data::NetcdfFile file(entry.path());
    if (!file.find("Rad")) continue;
    expect_same<std::uint16_t>(file, "Rad");
    expect_same<std::uint8_t>(file, "DQF");
    ++files;
  }
  return files;
}

TEST(ChunkedImage, DrawnFilesAreWhatNetcdfReads) {
  const ScratchFolder folder;
  data::synth::write_abi_scenes({.folder = folder / ""});
  EXPECT_EQ(expect_all_same(folder / "abi"), 6);
}

TEST(ChunkedImage, RealFilesAreWhatNetcdfReads) {
  const auto folder = real_data() / "goes17_night";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "no real files at " << folder << "; set PLUME_DATA";
  EXPECT_GT(expect_all_same(folder), 0);
}

}  // namespace
}  // namespace plume::tests
