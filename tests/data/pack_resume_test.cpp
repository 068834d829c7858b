// A packing that is broken off goes on from its parts, ends with the bytes of one that was not, and takes over nothing
// that does not belong to it. Shards of several processes hold what one would.
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <stdexcept>

#include "../expect_error.hpp"
#include "../scratch_folder.hpp"
#include "data/images/npy.hpp"
#include "data/loading/loader.hpp"
#include "data/shards/shard.hpp"
#include "data/shards/verify.hpp"
#include "kernels/base/philox.hpp"
#include "tiles.hpp"

namespace plume::tests {
namespace {

constexpr int tile_count = 23;
constexpr int part_tiles = 4;

class PackResume : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const char* kind : {"tiles", "masks"}) std::filesystem::create_directories(folder_ / kind);
    for (int tile = 0; tile < tile_count; ++tile) write_tile(tile, static_cast<std::uint64_t>(tile));
  }

  // Of floats, with a mask of which the first row is ignored.
  void write_tile(int tile, std::uint64_t seed) {
    Philox draw(seed, 1);
    std::vector<float> pixels(8 * 8 * 2);
    for (auto& pixel : pixels) pixel = draw.uniform() * 300 - 20;
    std::vector<std::uint8_t> mask(8 * 8);
    for (std::size_t i = 0; i < mask.size(); ++i)
      mask[i] = i < 8 ? 7 : static_cast<std::uint8_t>(draw.below(8) == 0 ? 1 : 0);
    data::write_npy(folder_ / "tiles" / name(tile), std::vector<std::int64_t>{8, 8, 2}, std::span<const float>(pixels));
    data::write_npy(folder_ / "masks" / name(tile), std::vector<std::int64_t>{8, 8},
                    std::span<const std::uint8_t>(mask));
  }

  static std::string name(int tile) { return fmt::format("t{:02}.npy", tile); }

  FolderPacking options(const char* output = "pack.h5", int threads = 2) const {
    auto options = pack_options(folder_ / "");
    options.output = folder_ / output;
    options.rule.ignore = 7;
    options.threads = threads;
    options.part_tiles = part_tiles;
    return options;
  }

  // Packs until `tiles` are done, then is stopped.
  static void break_off(const FolderPacking& options, int tiles) {
    EXPECT_THROW(pack(options,
                      [&](int done, int) {
                        if (done == tiles) throw std::runtime_error("stopped");
                      }),
                 std::runtime_error);
    EXPECT_FALSE(std::filesystem::exists(options.output));
  }

  [[nodiscard]] std::string undisturbed() const {
    pack(options("undisturbed.h5"));
    return read_file(folder_ / "undisturbed.h5");
  }

  [[nodiscard]] std::filesystem::path parts() const { return folder_ / "pack.h5.parts"; }

  ScratchFolder folder_;
};

TEST_F(PackResume, GoesOnWhereItWasStopped) {
  const auto whole = undisturbed();
  for (const int threads : {1, 3}) {
    for (const int stop : {1, 4, 5, 13, 22, 23}) {
      break_off(options("pack.h5", threads), stop);
      int first = 0;
      const auto report = pack(options("pack.h5", threads), [&](int done, int) { first = first == 0 ? done : first; });
      if (threads == 1) {
        // Whole parts are kept, the last and shorter one too.
        EXPECT_EQ(report.kept_tiles, stop == tile_count ? tile_count : stop / part_tiles * part_tiles);
        EXPECT_EQ(first, report.kept_tiles > 0 ? part_tiles : 1);
      }
      EXPECT_EQ(report.replaced_tiles, 0);
      EXPECT_TRUE(read_file(folder_ / "pack.h5") == whole) << "stopped after " << stop;
      EXPECT_FALSE(std::filesystem::exists(parts()));
      std::filesystem::remove(folder_ / "pack.h5");
    }
  }
}

TEST_F(PackResume, AnErrorKeepsWhatIsDone) {
  const auto whole = undisturbed();
  const auto good = read_file(folder_ / "masks" / name(14));
  write_file(folder_ / "masks" / name(14), "nonsense");
  expect_input_error([&] { pack(options("pack.h5", 1)); }, name(14));
  write_file(folder_ / "masks" / name(14), good);
  EXPECT_EQ(pack(options()).kept_tiles, 12);
  EXPECT_TRUE(read_file(folder_ / "pack.h5") == whole);
}

TEST_F(PackResume, PartsOfOtherOptionsOrFilesAreReplaced) {
  const auto whole = undisturbed();
  auto other = options("pack.h5", 1);
  other.bands = {1};
  break_off(other, 9);
  auto report = pack(options());
  EXPECT_EQ(report.kept_tiles, 0);
  EXPECT_EQ(report.replaced_tiles, 8);
  EXPECT_TRUE(read_file(folder_ / "pack.h5") == whole);

  std::filesystem::remove(folder_ / "pack.h5");
  break_off(options("pack.h5", 1), 9);
  write_tile(5, 99);
  report = pack(options());
  EXPECT_EQ(report.kept_tiles, 4);
  EXPECT_EQ(report.replaced_tiles, 4);
  EXPECT_TRUE(read_file(folder_ / "pack.h5") == undisturbed());
}

TEST_F(PackResume, DamagedPartsAreReplaced) {
  const auto whole = undisturbed();
  break_off(options("pack.h5", 1), 13);
  const auto part = [&](int number) { return parts() / fmt::format("part-{:06}.h5", number); };
  auto bytes = read_file(part(0));
  bytes[4096 + 77] ^= 1;  // within the first tile
  write_file(part(0), bytes);
  write_file(part(1), read_file(part(1)).substr(0, 5000));
  write_file(parts() / "part-000077.h5", "of a larger packing");
  const auto report = pack(options());
  EXPECT_EQ(report.kept_tiles, 4);
  EXPECT_EQ(report.replaced_tiles, 8);
  EXPECT_TRUE(read_file(folder_ / "pack.h5") == whole);
  EXPECT_FALSE(std::filesystem::exists(parts()));
}

// Without a chance to tidy up, at any moment.
TEST_F(PackResume, KilledFiveTimes) {
  const auto pack_in_a_process = [&](int last) {
    const pid_t process = ::fork();
    if (process == 0) {
      try {
        pack(options("pack.h5", 1), [&](int done, int) {
          if (last > 0 && done >= last) ::kill(::getpid(), SIGKILL);
        });
      } catch (...) {
        ::_exit(1);
      }
      ::_exit(0);
    }
    int status = 0;
    ::waitpid(process, &status, 0);
    return status;
  };
  Philox draw(5, 5);
  for (int kill = 0; kill < 5; ++kill) {
    EXPECT_TRUE(WIFSIGNALED(pack_in_a_process(static_cast<int>(5 + draw.below(tile_count - 5)))));
    EXPECT_FALSE(std::filesystem::exists(folder_ / "pack.h5"));
    EXPECT_TRUE(std::filesystem::exists(parts() / "part-000000.h5"));
  }
  EXPECT_EQ(pack_in_a_process(0), 0);
  // Nothing of the killed ones stays: two folders of input and the shard.
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_ / ""), {}), 3);
  EXPECT_TRUE(read_file(folder_ / "pack.h5") == undisturbed());
}

TEST_F(PackResume, OneProcessAtATime) {
  std::filesystem::create_directories(parts());
  const int other = ::open(parts().c_str(), O_RDONLY | O_DIRECTORY);
  ASSERT_EQ(::flock(other, LOCK_EX), 0);
  expect_error(
      ErrorKind::environment, [&] { pack(options()); }, "another process", "pack.h5");
  ::close(other);
  EXPECT_EQ(pack(options()).tiles, tile_count);
}

TEST_F(PackResume, ScaledFloatsAreWithinHalfAStep) {
  auto packing = options();
  pack(packing);
  const data::Shard exact(packing.output);
  for (const auto dtype : {DType::u8, DType::u16}) {
    for (const bool given : {false, true}) {
      packing.output = folder_ / "scaled.h5";
      packing.store = dtype;
      packing.ranges.clear();
      if (given) packing.ranges = {{0, 200}};
      pack(packing);
      const data::Shard scaled(packing.output);
      const auto& info = scaled.info();
      EXPECT_EQ(info.dtype, dtype);
      EXPECT_EQ(info.mean, exact.info().mean);
      EXPECT_EQ(data::damaged_tiles(scaled), std::vector<int>());
      const float step = info.scale[1];
      EXPECT_NEAR(step, (given ? 200 : 300) / (dtype == DType::u8 ? 255.0F : 65535.0F), step * 0.01F);
      std::vector<float> wanted(128);
      std::vector<float> found(128);
      for (int tile = 0; tile < tile_count; ++tile) {
        exact.read(tile, {}, {}, wanted.data());
        scaled.read(tile, {}, {}, found.data());
        for (std::size_t i = 0; i < 128; ++i) {
          const float value = given ? std::clamp(wanted[i], 0.0F, 200.0F) : wanted[i];
          ASSERT_NEAR(found[i], value, step * 0.51F) << tile << ' ' << i;
        }
      }
    }
  }
  packing.ranges = {{0, 1}, {0, 1}, {0, 1}};
  expect_error(
      ErrorKind::usage, [&] { pack(packing); }, "3 ranges for 2 bands");
}

TEST_F(PackResume, ShardsOfSeveralProcessesHoldWhatOneWould) {
  auto packing = options();
  pack(packing);
  const data::Shard one(packing.output);
  int tile = 0;
  for (int process = 0; process < 3; ++process) {
    packing.share = {process, 3};
    const auto report = pack(packing);
    EXPECT_EQ(report.output, folder_ / fmt::format("pack-{:05}-of-00003.h5", process));
    const data::Shard share(report.output);
    for (int i = 0; i < share.info().tiles; ++i, ++tile) {
      const auto from = static_cast<std::size_t>(tile);
      const auto to = static_cast<std::size_t>(i);
      EXPECT_EQ(share.info().name[to], one.info().name[from]);
      EXPECT_EQ(share.info().split[to], one.info().split[from]);
      EXPECT_EQ(share.info().checksum[to], one.info().checksum[from]);
      EXPECT_TRUE(std::ranges::equal(share.image(i), one.image(tile)));
    }
  }
  EXPECT_EQ(tile, tile_count);
  // Opened together they are the one, to the last bit of mean and deviation.
  const data::Shard all(folder_ / "pack-*.h5");
  EXPECT_EQ(all.info().tiles, tile_count);
  EXPECT_EQ(all.info().mean, one.info().mean);
  EXPECT_EQ(all.info().std, one.info().std);
  EXPECT_NE(all.info().mean, data::Shard(folder_ / "pack-00001-of-00003.h5").info().mean);
  for (int i = 0; i < tile_count; ++i) {
    EXPECT_EQ(all.info().name[static_cast<std::size_t>(i)], one.info().name[static_cast<std::size_t>(i)]);
    EXPECT_TRUE(std::ranges::equal(all.image(i), one.image(i)));
    EXPECT_TRUE(std::ranges::equal(all.labels(i), one.labels(i)));
  }
  const data::Sampling sampling{.batch = 4, .crop = 4, .flip = true, .class_share = 0.5F, .class_threshold = 0.001F};
  data::Loader loader_of_one(one, sampling, one.info().mean, one.info().std, 1, 1);
  data::Loader loader_of_all(all, sampling, all.info().mean, all.info().std, 1, 1);
  for (int batch = 0; batch < 12; ++batch) {
    const auto expected = loader_of_one.next();
    const auto found = loader_of_all.next();
    EXPECT_EQ(found.pixels, expected.pixels);
    EXPECT_EQ(found.labels, expected.labels);
  }
  packing.share = {0, tile_count + 1};
  expect_input_error([&] { pack(packing); }, "23 tiles", "24 processes");
  packing.share = {0, 2};
  packing.store = DType::u8;
  expect_error(
      ErrorKind::usage, [&] { pack(packing); }, "range");
}

TEST_F(PackResume, FilesThatAreNoSetAreNamed) {
  const auto refused = [&](const std::filesystem::path& path, auto... parts) {
    expect_input_error([&] { const data::Shard shard(path); }, parts...);
  };
  auto packing = options("set-a.h5");
  pack(packing);
  std::filesystem::copy(packing.output, folder_ / "set-b.h5");
  refused(folder_ / "set-*.h5", "set-*.h5", "t00", "two of the shards");
  packing.bands = {0};
  packing.output = folder_ / "set-b.h5";
  pack(packing);
  refused(folder_ / "set-*.h5", "set-a.h5", "set-b.h5", "differ");
  std::filesystem::copy(std::filesystem::path(PLUME_SOURCE_DIR) / "tests/golden/shard_v1.h5", folder_ / "old-a.h5");
  std::filesystem::copy(folder_ / "old-a.h5", folder_ / "old-b.h5");
  refused(folder_ / "old-?.h5", "old-a.h5", "format 1");
  refused(folder_ / "none-*.h5", "no file matches", "none-*.h5");
  refused(folder_ / "tiles", "tiles", "holds no .h5");
  packing.bands = {};
  packing.output = folder_ / "pack.h5";
  for (const int process : {0, 2}) {
    packing.share = {process, 3};
    pack(packing);
  }
  refused(folder_ / "pack-*.h5", "names 2 of the 3 shards", "pack-*");
}

TEST(PackShare, WhichProcessThisIs) {
  const auto is = [](const char* text, int index, int count) {
    const auto share = data::parse_share(text);
    EXPECT_EQ(share.index, index) << text;
    EXPECT_EQ(share.count, count) << text;
  };
  is("0/1", 0, 1);
  is("3/4", 3, 4);
  for (const char* bad : {"", "4/4", "-1/4", "1", "1/", "/2", "a/b", "1/2/3", "0/0"})
    expect_error(ErrorKind::usage, [&] { (void)data::parse_share(bad); });
  for (const char* name : {"SLURM_PROCID", "SLURM_NTASKS", "PMI_RANK", "PMI_SIZE"}) ::unsetenv(name);
  is("auto", 0, 1);
  ::setenv("PMI_RANK", "1", 1);
  ::setenv("PMI_SIZE", "3", 1);
  is("auto", 1, 3);
  ::setenv("SLURM_PROCID", "5", 1);
  ::setenv("SLURM_NTASKS", "8", 1);
  is("auto", 5, 8);
  ::setenv("SLURM_NTASKS", "five", 1);
  expect_error(
      ErrorKind::usage, [] { (void)data::parse_share("auto"); }, "SLURM_NTASKS", "five");
  for (const char* name : {"SLURM_PROCID", "SLURM_NTASKS", "PMI_RANK", "PMI_SIZE"}) ::unsetenv(name);
}

}  // namespace
}  // namespace plume::tests
