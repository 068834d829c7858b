// A supervisor and its child, whatever the child does.
#include "dist/supervisor.hpp"

#include <fmt/core.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <fstream>
#include <thread>

#include "../scratch_folder.hpp"
#include "dist/heartbeats.hpp"
#include "kernels/base/error.hpp"

namespace plume::dist {
namespace {

using namespace std::chrono_literals;

// A rank's supervisor in a process of its own, as a launcher starts it.
class Rank {
 public:
  Rank(const std::filesystem::path& folder, int rank, int size, const std::function<int(Pulse&)>& work,
       double deadline = 1)
      : errors_(folder / fmt::format("errors{}", rank)), process_(::fork()) {
    if (process_ != 0) return;
    if (std::freopen(errors_.c_str(), "w", stderr) == nullptr) ::_exit(99);
    const Supervision supervision{folder / "ranks", deadline, true, 0.1};
    const int code = supervise(supervision, [&](Pulse& pulse) {
      pulse.size.store(size);
      pulse.rank.store(rank);
      std::snprintf(pulse.host.data(), pulse.host.size(), "here");
      pulse.run.store(42);
      return work(pulse);
    });
    std::fflush(nullptr);
    ::_exit(code);
  }

  int wait() {
    int status = 0;
    ::waitpid(process_, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
  [[nodiscard]] std::string errors() const { return tests::read_file(errors_); }
  void signal(int number) const { ::kill(process_, number); }

 private:
  std::string errors_;
  pid_t process_;
};

class SupervisorTest : public testing::Test {
 protected:
  // What a single rank of two ends with.
  void expect_end(const std::function<int(Pulse&)>& work, int code, const std::string& line) {
    Rank rank(folder_ / "", 1, 2, work);
    EXPECT_EQ(rank.wait(), code);
    const std::string errors = rank.errors();
    if (line.empty()) {
      EXPECT_EQ(errors, "");
    } else {
      EXPECT_NE(errors.find(line), std::string::npos) << errors;
      EXPECT_EQ(std::count(errors.begin(), errors.end(), '\n'), 1) << errors;
    }
  }

  // One waits; the other does as it likes.
  void expect_both_end(const std::function<int(Pulse&)>& other, const std::string& line) {
    const auto start = std::chrono::steady_clock::now();
    Rank waiting(folder_ / "", 0, 2, [](Pulse& pulse) {
      pulse.begun.store(7);
      pulse.enter(Phase::exchange);
      Waiting mark(&pulse);
      for (;; std::this_thread::sleep_for(10ms)) mark.look();
      return 0;
    });
    Rank guilty(folder_ / "", 1, 2, [&](Pulse& pulse) {
      pulse.begun.store(6);
      pulse.step.store(12);
      pulse.enter(Phase::data);
      return other(pulse);
    });
    EXPECT_EQ(waiting.wait(), 4);
    EXPECT_EQ(guilty.wait(), 4);
    EXPECT_LT(std::chrono::steady_clock::now() - start, 8s);
    const std::string errors = waiting.errors() + guilty.errors();
    EXPECT_NE(errors.find(line), std::string::npos) << errors;
    EXPECT_EQ(std::count(errors.begin(), errors.end(), '\n'), 1) << errors;
  }

  tests::ScratchFolder folder_;
};

TEST_F(SupervisorTest, PassesOnWhatEndsWell) {
  expect_end(
      [](Pulse& pulse) {
        pulse.ending.store(Ending::finished);
        return 0;
      },
      0, "");
  expect_end(
      [](Pulse& pulse) {
        pulse.ending.store(Ending::stopped);
        return 85;
      },
      85, "");
}

TEST_F(SupervisorTest, PassesOnAnError) {
  expect_end([](Pulse&) -> int { throw input_error("no such tile"); }, 3, "plume: rank 1 on here: no such tile");
}

TEST_F(SupervisorTest, KnowsASilentExitFromAnEnd) {
  expect_end(
      [](Pulse& pulse) -> int {
        pulse.step.store(9);
        ::_exit(0);
      },
      4, "rank 1 on here (step 9, phase start) left with exit code 0 before the end");
}

TEST_F(SupervisorTest, KnowsAFailedExit) {
  expect_end([](Pulse&) -> int { ::_exit(1); }, 1, "left with exit code 1 before the end");
}

TEST_F(SupervisorTest, NamesASignal) {
  expect_end(
      [](Pulse&) -> int {
        ::raise(SIGKILL);
        return 0;
      },
      4, "was killed by signal 9 (Killed)");
}

// What it came for is done; how it leaves changes nothing.
TEST_F(SupervisorTest, ForgivesADeathAfterTheEnd) {
  expect_end(
      [](Pulse& pulse) -> int {
        pulse.ending.store(Ending::finished);
        ::raise(SIGSEGV);
        return 0;
      },
      0, "");
}

TEST_F(SupervisorTest, PassesSignalsOn) {
  Rank rank(
      folder_ / "", 0, 2,
      [](Pulse& pulse) {
        sigset_t wanted;
        sigemptyset(&wanted);
        sigaddset(&wanted, SIGUSR1);
        pulse.enter(Phase::compute);
        int number = 0;
        sigwait(&wanted, &number);
        pulse.ending.store(Ending::stopped);
        return 85;
      },
      20);
  const Heartbeats beats(folder_ / "ranks", 42);
  for (int i = 0; i < 500 && (beats.read().empty() || beats.read().front().phase != "compute"); ++i)
    std::this_thread::sleep_for(10ms);
  rank.signal(SIGUSR1);
  EXPECT_EQ(rank.wait(), 85);
}

TEST_F(SupervisorTest, EndsAllWhereOneHangs) {
  expect_both_end(
      [](Pulse&) -> int {
        for (;;) std::this_thread::sleep_for(1s);
      },
      "rank 0 on here has waited 1 s for others; last seen rank 1 on here: step 12, phase data, 1 s ago");
}

TEST_F(SupervisorTest, EndsAllWhereOneIsStopped) {
  expect_both_end(
      [](Pulse&) -> int {
        ::raise(SIGSTOP);
        return 0;
      },
      "last seen rank 1 on here: step 12");
}

// All have joined the same collectives, and all wait; only one of them no longer looks.
TEST_F(SupervisorTest, EndsAllWhereOneIsStoppedInACollective) {
  expect_both_end(
      [](Pulse& pulse) -> int {
        pulse.begun.store(7);
        const Waiting mark(&pulse);
        ::raise(SIGSTOP);
        return 0;
      },
      "rank 1 on here");
}

TEST_F(SupervisorTest, HoldsSignalsBackUntilTheyAreHeard) {
  Rank rank(
      folder_ / "", 0, 2,
      [](Pulse& pulse) {
        pulse.enter(Phase::compute);
        sigset_t pending;
        do {
          std::this_thread::sleep_for(10ms);
          sigpending(&pending);
        } while (sigismember(&pending, SIGUSR1) == 0);
        pulse.ending.store(Ending::stopped);
        return 85;
      },
      20);
  const Heartbeats beats(folder_ / "ranks", 42);
  for (int i = 0; i < 500 && beats.read().empty(); ++i) std::this_thread::sleep_for(10ms);
  rank.signal(SIGUSR1);
  EXPECT_EQ(rank.wait(), 85);
}

TEST_F(SupervisorTest, EndsAllWhereOneDies) {
  expect_both_end(
      [](Pulse&) -> int {
        ::raise(SIGKILL);
        return 0;
      },
      "rank 1 on here (step 12, phase data) was killed by signal 9 (Killed)");
}

TEST_F(SupervisorTest, EndsWhereRanksDoNotFindEachOther) {
  const auto start = std::chrono::steady_clock::now();
  const std::string errors = folder_ / "errors";
  const int process = ::fork();
  if (process == 0) {
    if (std::freopen(errors.c_str(), "w", stderr) == nullptr) ::_exit(99);
    const int code = supervise({folder_ / "ranks", 0.5, true, 0.1}, [](Pulse&) {
      for (;;) std::this_thread::sleep_for(1s);
      return 0;
    });
    std::fflush(nullptr);
    ::_exit(code);
  }
  int status = 0;
  ::waitpid(process, &status, 0);
  EXPECT_EQ(WEXITSTATUS(status), 4);
  EXPECT_LT(std::chrono::steady_clock::now() - start, 5s);
  EXPECT_NE(tests::read_file(errors).find("did not find each other"), std::string::npos);
}

// mpiexec and srun kill what they started: the supervisor. What it started must not live on.
TEST_F(SupervisorTest, TakesItsChildAlong) {
  Rank rank(
      folder_ / "", 0, 2,
      [](Pulse&) {
        for (;;) std::this_thread::sleep_for(1s);
        return 0;
      },
      30);
  const Heartbeats beats(folder_ / "ranks", 42);
  for (int i = 0; i < 500 && beats.read().empty(); ++i) std::this_thread::sleep_for(10ms);
  ASSERT_FALSE(beats.read().empty());
  const int child = beats.read().front().process;
  rank.signal(SIGKILL);
  EXPECT_EQ(rank.wait(), 128 + SIGKILL);
  for (int i = 0; i < 500 && ::kill(child, 0) == 0; ++i) std::this_thread::sleep_for(10ms);
  EXPECT_NE(::kill(child, 0), 0);
}

}  // namespace
}  // namespace plume::dist
