// The shard's writer keeps the room that it found: whoever fills the disk later does not take it.
#include "data/shard_write.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "../expect_error.hpp"
#include "../small_disk.hpp"
#include "kernels/base/philox.hpp"

namespace plume::tests {
namespace {

// Until the disk takes no more.
void fill(const std::filesystem::path& path) {
  std::ofstream stream(path, std::ios::binary);
  const std::string block(4096, 'x');
  while (stream.write(block.data(), static_cast<std::streamsize>(block.size())).flush()) {
  }
}

TEST(ShardWriter, PixelsHaveTheirRoomFromTheStart) {
  const SmallDisk disk(4 << 20);
  if (!disk.mounted()) GTEST_SKIP() << "mounting a small file system needs root";
  const data::ShardShape shape{20, {128, 128, 3, DType::u8}};
  {
    data::ShardWriter writer(disk.root() / "pack.h5", shape);
    fill(disk.root() / "rest");
    const std::vector<std::byte> image(shape.image_bytes(), std::byte{7});
    const std::vector<std::uint8_t> labels(shape.label_bytes(), 1);
    for (int tile = 0; tile < shape.tiles; ++tile) EXPECT_NO_THROW(writer.write_tile(tile, image, labels));
  }
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(disk.root()), {}), 1);
}

}  // namespace
}  // namespace plume::tests
