// The program is killed 20 times while it packs, at any moment; then it comes to its end with the same file.
#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <thread>

#include "../scratch_folder.hpp"
#include "data/synth/scenes.hpp"
#include "data/synth/tiles.hpp"
#include "kernels/base/philox.hpp"
#include "program.hpp"

namespace plume::tests {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::microseconds;

// `source`: arguments that say what is packed, of things in folder/scenes.
void kill_and_go_on(const ScratchFolder& folder, const std::vector<std::string>& source) {
  const auto pack_to = [&](const char* name, const char* threads) {
    std::vector<std::string> arguments{"data", "pack", "--threads", threads, "-o", (folder / name).string()};
    arguments.insert(arguments.end(), source.begin(), source.end());
    return arguments;
  };
  const auto start = Clock::now();
  const Outcome whole = run_plume(pack_to("whole.h5", "2"));
  ASSERT_EQ(whole.exit_code, 0) << whole.errors;
  const auto duration = std::chrono::duration_cast<microseconds>(Clock::now() - start);

  Philox draw(2026, 1);
  int survived = 0;
  int with_parts = 0;
  for (int kill = 0; kill < 20; ++kill) {
    RunningPlume plume(pack_to("killed.h5", kill % 2 == 0 ? "1" : "2"), folder / "errors");
    std::this_thread::sleep_for(microseconds(draw.below(static_cast<std::uint32_t>(duration.count()))));
    plume.signal(SIGKILL);
    const int code = plume.wait();
    ASSERT_TRUE(code == 128 + SIGKILL || code == 0) << read_file(folder / "errors");
    with_parts += names_in(folder / "killed.h5.parts").empty() ? 0 : 1;
    if (code != 0) continue;
    // One came to its end before it was killed: compare, and begin anew.
    ++survived;
    ASSERT_TRUE(read_file(folder / "whole.h5") == read_file(folder / "killed.h5")) << "after " << kill << " kills";
    std::filesystem::remove(folder / "killed.h5");
  }
  EXPECT_LT(survived, 15);
  EXPECT_GT(with_parts, 0) << "no life was long enough to close a part";
  const Outcome last = run_plume(pack_to("killed.h5", "2"));
  ASSERT_EQ(last.exit_code, 0) << last.errors;
  EXPECT_TRUE(read_file(folder / "whole.h5") == read_file(folder / "killed.h5"));
  EXPECT_EQ(run_plume({"data", "verify", (folder / "killed.h5").string()}).exit_code, 0);
  // No part and no temporary stays behind.
  EXPECT_EQ(names_in(folder / ""), (std::vector<std::string>{"errors", "killed.h5", "scenes", "whole.h5"}));
}

TEST(KilledPackingSlow, OfTilesEndsWithTheBytesOfAnUndisturbedOne) {
  const ScratchFolder folder;
  data::synth::write_scenes(folder / "scenes", 150, 3);
  kill_and_go_on(folder, {"--tiles", folder / "scenes/tiles", "--masks", folder / "scenes/masks"});
}

TEST(KilledPackingSlow, OfSatelliteFilesEndsWithTheBytesOfAnUndisturbedOne) {
  const ScratchFolder folder;
  data::synth::write_abi_scenes({.folder = folder / "scenes", .count = 3, .seed = 3});
  kill_and_go_on(folder, {"--abi", folder / "scenes/abi", "--hms", folder / "scenes/hms"});
}

}  // namespace
}  // namespace plume::tests
