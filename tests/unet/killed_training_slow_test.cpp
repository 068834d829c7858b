// A training that is killed again and again, at any moment and without a chance to save, ends with the bits of one that
// was left alone.
#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "kernels/base/philox.hpp"
#include "program.hpp"
#include "small_training.hpp"

namespace plume::tests {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr int kills = 10;

TEST(KilledTrainingSlow, EndsWithTheBitsOfAnUndisturbedOne) {
  const ScratchFolder folder;
  small_shard(folder);
  const std::string config = folder / "config.toml";
  write_file(config, "[data]\nshard = '" + (folder / "tiles.h5").string() +
                         "'\n[model]\nbase = 8\ndepth = 2\n[train]\nsteps = 400\nbatch = 4\ncrop = 64\n"
                         "class_share = 0.5\nvalidate_every = 5\n");
  const auto train_into = [&](const char* name) -> std::vector<std::string> {
    return {"train", config, "--quiet", "--resume", "auto", "--out", (folder / name).string()};
  };

  const auto start = Clock::now();
  const Outcome whole = run_plume(train_into("whole"));
  ASSERT_EQ(whole.exit_code, 0) << whole.errors;
  const auto duration = std::chrono::duration_cast<milliseconds>(Clock::now() - start);

  // All lives together are shorter than the training, so none but the last comes to its end.
  Philox draw(2026, 0);
  const auto longest_life = static_cast<std::uint32_t>(duration.count() / (kills + 1));
  for (int kill = 0; kill < kills; ++kill) {
    RunningPlume plume(train_into("killed"), folder / "errors");
    std::this_thread::sleep_for(milliseconds(draw.below(longest_life)));
    plume.signal(SIGKILL);
    ASSERT_EQ(plume.wait(), 128 + SIGKILL) << read_file(folder / "errors");
  }
  ASSERT_TRUE(std::filesystem::exists(folder / "killed" / "last.safetensors")) << "no life was long enough to save";
  const Outcome last = run_plume(train_into("killed"));
  ASSERT_EQ(last.exit_code, 0) << last.errors;
  for (const char* file : {"last.safetensors", "best.safetensors"}) {
    EXPECT_TRUE(read_file(folder / "whole" / file) == read_file(folder / "killed" / file)) << file << " differs";
  }
}

}  // namespace
}  // namespace plume::tests
