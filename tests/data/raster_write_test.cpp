// Writing images where there is no room: one line, the old file untouched, nothing half-written.
#include <gtest/gtest.h>

#include <vector>

#include "../expect_error.hpp"
#include "../small_disk.hpp"
#include "data/formats/geotiff_write.hpp"
#include "data/images/png.hpp"
#include "kernels/base/philox.hpp"

namespace plume::tests {
namespace {

constexpr data::ImageShape shape{300, 200, 3};

// What no compression makes small.
std::vector<std::uint8_t> noise() {
  std::vector<std::uint8_t> pixels(300 * 200 * 3);
  Philox draw(1, 1);
  for (auto& pixel : pixels) pixel = static_cast<std::uint8_t>(draw.next());
  return pixels;
}

// Writes both kinds of image over files that are there already, and expects to be told that this cannot be.
void expect_no_room(const std::filesystem::path& folder) {
  const auto pixels = noise();
  for (const char* name : {"a.tif", "a.png"}) write_file(folder / name, "old");
  expect_error(
      ErrorKind::environment, [&] { data::write_geotiff(folder / "a.tif", shape, pixels, {}); }, "a.tif");
  expect_error(
      ErrorKind::environment, [&] { data::write_png(folder / "a.png", shape, pixels); }, "a.png");
  for (const char* name : {"a.tif", "a.png"}) EXPECT_EQ(read_file(folder / name), "old");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder), {}), 2);
}

TEST(RasterWrite, AFullDiskLeavesTheOldFiles) {
  const SmallDisk disk(64 << 10);
  if (!disk.mounted()) GTEST_SKIP() << "mounting a small file system needs root";
  expect_no_room(disk.root());
}

TEST(RasterWrite, ALimitOnFilesLeavesTheOldFiles) {
  const ScratchFolder folder;
  const FileSizeLimit limit(64 << 10);
  expect_no_room(folder / "");
}

}  // namespace
}  // namespace plume::tests
