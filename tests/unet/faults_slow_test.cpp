// Whatever befalls one of four ranks, at whatever moment: all end soon, one line names it, what is saved can be loaded, and the
// training that goes on from there ends with the bits of one that nothing befell.
#include <fmt/core.h>
#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <functional>
#include <random>

#include "kernels/base/philox.hpp"
#include "nn/safetensors.hpp"
#include "program.hpp"
#include "ranks_training.hpp"

namespace plume::tests {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

constexpr int ranks = 4;
constexpr int steps = 1000;
constexpr double deadline = 5;
constexpr int moments = 10;

std::uint64_t seed() {
  const char* const text = std::getenv("PLUME_TEST_SEED");
  return text != nullptr ? std::stoull(text) : std::random_device{}();
}

class FaultsSlow : public testing::Test {
 protected:
  FaultsSlow() : seed_(seed()), draw_(seed_, 0) {}

  void SetUp() override {
    if (!has_mpi()) GTEST_SKIP() << "no MPI, or no mpiexec (Debian and Ubuntu: mpich, libmpich-dev)";
    fmt::print("the moments follow from PLUME_TEST_SEED={}\n", seed_);
    prepare_ranks_training(folder_, steps, deadline);
    const Outcome whole = run_ranks(ranks, training("whole"));
    ASSERT_EQ(whole.exit_code, 0) << whole.errors;
    collectives_ = heartbeats_in(folder_ / "whole").at(0).begun;
  }

  [[nodiscard]] std::vector<std::string> training(const std::string& run) const {
    return {"train", folder_ / "config.toml", "--quiet", "--resume", "auto", "--out", folder_ / run};
  }

  // Up to what is left of the deadline's and ten seconds more, whoever is signalled, at a random step of the training.
  void expect_end_by_signal(int signal) {
    for (int i = 0; i < moments; ++i) {
      const auto rank = draw_.below(ranks);
      const auto step = draw_.below(steps / 2);  // heartbeats lag behind by hundreds of steps
      const auto pause = std::chrono::milliseconds(draw_.below(100));
      SCOPED_TRACE(fmt::format("signal {} to rank {} at step {} and {} ms", signal, rank, step, pause.count()));
      expect_end(rank, {}, [&] {
        const auto beats = wait_for_step(folder_ / "run", ranks, step);
        ASSERT_EQ(beats.size(), std::size_t{ranks}) << read_file(folder_ / "errors");
        std::this_thread::sleep_for(pause);
        ASSERT_EQ(::kill(beats[rank].process, signal), 0);
      });
    }
  }

  void expect_end_in_collective(const std::string& kind) {
    for (int i = 0; i < moments; ++i) {
      const auto rank = draw_.below(ranks);
      const auto call = 1 + draw_.below(static_cast<std::uint32_t>(collectives_));
      SCOPED_TRACE(fmt::format("{} of rank {} in collective {}", kind, rank, call));
      const Surroundings surroundings{
          {fmt::format("PLUME_FAULT={}:{}:{}", kind, rank, call), "LD_PRELOAD=" PLUME_FAULT_SHIM}, std::nullopt};
      expect_end(rank, surroundings, [] {});
    }
  }

 private:
  void expect_end(std::uint32_t rank, const Surroundings& surroundings, const std::function<void()>& befall) {
    fs::remove_all(folder_ / "run");
    RunningPlume running(ranks, training("run"), folder_ / "errors", surroundings);
    befall();
    if (HasFatalFailure()) return;
    expect_named(running, rank);
    const bool saved = fs::exists(folder_ / "run/last.safetensors");
    if (saved) {
      EXPECT_FALSE(nn::SafetensorsFile(folder_ / "run/last.safetensors").tensors().empty());
    }
    const Outcome rest = run_ranks(ranks, training("run"));
    ASSERT_EQ(rest.exit_code, 0) << rest.errors;
    EXPECT_TRUE(read_file(folder_ / "run/last.safetensors") == read_file(folder_ / "whole/last.safetensors"))
        << (saved ? "resumed" : "begun anew") << ", it ended with other bits";
  }

  void expect_named(RunningPlume& running, std::uint32_t rank) const {
    // Where the moment is a collective's, the time until then is the training's own.
    std::int64_t last_step = -1;
    std::optional<int> code;
    std::vector<dist::Heartbeat> beats;
    for (auto since = std::chrono::steady_clock::now(); !code;) {
      code = running.wait_for(0.1);
      if (auto read = heartbeats_in(folder_ / "run"); !read.empty()) beats = std::move(read);
      for (const auto& beat : beats) {
        if (beat.step <= last_step) continue;
        last_step = beat.step;
        since = std::chrono::steady_clock::now();
      }
      ASSERT_LT(std::chrono::steady_clock::now() - since, std::chrono::duration<double>(deadline + 10));
    }
    EXPECT_NE(*code, 0);
    const auto lines = plume_lines(read_file(folder_ / "errors"));
    ASSERT_EQ(lines.size(), 1U) << read_file(folder_ / "errors");
    const std::string& line = lines.front();
    const auto blamed = line.find("last seen");  // what is before is who waits
    EXPECT_NE(line.find(fmt::format("rank {} on", rank), blamed == std::string::npos ? 0 : blamed), std::string::npos)
        << line;
    fmt::print("{}\n", line);
    EXPECT_EQ(left_over(beats), std::vector<int>{});
  }

  ScratchFolder folder_;
  std::uint64_t seed_;
  Philox draw_;
  std::int64_t collectives_ = 0;
};

TEST_F(FaultsSlow, KillOneRank) {
  expect_end_by_signal(SIGKILL);
}

TEST_F(FaultsSlow, StopOneRank) {
  expect_end_by_signal(SIGSTOP);
}

TEST_F(FaultsSlow, OneRankFailsInACollective) {
  expect_end_in_collective("exit1");
}

TEST_F(FaultsSlow, OneRankLeavesInACollective) {
  expect_end_in_collective("exit0");
}

TEST_F(FaultsSlow, OneRankStaysInACollective) {
  expect_end_in_collective("delay");
}

}  // namespace
}  // namespace plume::tests
