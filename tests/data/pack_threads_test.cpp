// The threads of packing. All files are .npy, so that neither GDAL nor its locks take part and a thread sanitizer sees
// only ours.
#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>
#include <string>
#include <vector>

#include "../expect_error.hpp"
#include "../scratch_folder.hpp"
#include "data/images/npy.hpp"
#include "kernels/base/philox.hpp"
#include "tiles.hpp"

namespace plume::tests {
namespace {

constexpr int tile_count = 40;

class PackThreads : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const char* kind : {"tiles", "masks"}) std::filesystem::create_directories(folder_ / kind);
    Philox draw(3, 1);
    for (int i = 0; i < tile_count; ++i) {
      std::vector<std::uint8_t> pixels(16 * 16 * 2);
      for (auto& pixel : pixels) pixel = static_cast<std::uint8_t>(draw.next());
      write("tiles", i, {16, 16, 2}, pixels);
      std::vector<std::uint8_t> mask(16 * 16);
      for (auto& label : mask) label = draw.below(8) == 0 ? 1 : 0;
      write("masks", i, {16, 16}, mask);
    }
  }

  void write(const char* kind, int tile, const std::vector<std::int64_t>& shape,
             const std::vector<std::uint8_t>& values) {
    data::write_npy(folder_ / kind / name(tile), shape, std::span<const std::uint8_t>(values));
  }

  static std::string name(int tile) { return fmt::format("t{:02}.npy", tile); }

  FolderPacking options(int threads) const {
    auto options = pack_options(folder_ / "");
    options.threads = threads;
    return options;
  }

  // The two folders of input and nothing else but whole parts, which are taken away.
  void expect_nothing_left() const {
    const auto parts = folder_ / "pack.h5.parts";
    if (std::filesystem::exists(parts)) {
      for (const auto& entry : std::filesystem::directory_iterator(parts)) EXPECT_EQ(entry.path().extension(), ".h5");
      std::filesystem::remove_all(parts);
    }
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_ / ""), {}), 2);
  }

  ScratchFolder folder_;
};

TEST_F(PackThreads, SameBytesHoweverMany) {
  pack(options(1));
  const auto once = read_file(folder_ / "pack.h5");
  pack(options(4));
  EXPECT_TRUE(read_file(folder_ / "pack.h5") == once);
}

TEST_F(PackThreads, AStopEndsItAtOnceAndLeavesNothing) {
  for (const int threads : {1, 4}) {
    int calls = 0;  // guarded by pack(), which makes one call at a time
    const auto stop = [&](int done, int) {
      ++calls;
      if (done == 3) throw std::runtime_error("stopped");
    };
    try {
      pack(options(threads), stop);
      ADD_FAILURE() << "nothing was thrown";
    } catch (const std::runtime_error& error) {
      EXPECT_STREQ(error.what(), "stopped");
    }
    EXPECT_EQ(calls, 3) << threads << " threads";
    expect_nothing_left();
  }
}

TEST_F(PackThreads, AStopAndABadTileAtOnce) {
  write("masks", 0, {16, 16}, std::vector<std::uint8_t>(256, 9));
  const auto stop = [](int, int) { throw std::runtime_error("stopped"); };
  for (int round = 0; round < 20; ++round) {
    // Which of the two comes first is the threads' affair; one of them is thrown, whole.
    try {
      pack(options(4), stop);
      ADD_FAILURE() << "nothing was thrown";
    } catch (const Error& error) {
      EXPECT_NE(std::string_view(error.what()).find("t00.npy"), std::string_view::npos) << error.what();
    } catch (const std::runtime_error& error) {
      EXPECT_STREQ(error.what(), "stopped");
    }
    expect_nothing_left();
  }
}

TEST_F(PackThreads, TheFirstBadTileIsNamed) {
  for (const int tile : {11, 12, 13, 30}) write("masks", tile, {16, 16}, std::vector<std::uint8_t>(256, 9));
  for (int round = 0; round < 20; ++round) {
    expect_input_error([&] { pack(options(4)); }, name(11));
    expect_nothing_left();
  }
}

}  // namespace
}  // namespace plume::tests
