// What real GPUs cannot be asked for: an NCCL that is slow, refuses, fails or hangs when a test says so (fake_nccl.cpp).
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "../expect_error.hpp"
#include "dist/nccl_sum.hpp"
#include "dist/own_gpu.hpp"
#include "in_ranks.hpp"
#include "kernels/base/dynamic_library.hpp"
#include "kernels/cuda/graph.hpp"
#include "kernels/emulator/testing.hpp"
#include "kernels/memory.hpp"
#include "nccl_groups.hpp"

namespace plume::tests {

std::vector<int> group_sizes() {
  return {1, 2, 3};
}

namespace {

using dist::Communicator;

// Before any test, those of nccl_test.cpp too.
const bool chosen = ::setenv("PLUME_NCCL", PLUME_FAKE_NCCL, 1) == 0;

std::string misuses() {
  const auto library = DynamicLibrary::open({PLUME_FAKE_NCCL});
  const char* (*report)() = nullptr;
  library->find(report, "fake_nccl_report");
  return report();
}

// One rank with two slices to sum, in a process that has set its environment.
struct Member {
  explicit Member(Communicator& communicator, double deadline = 30)
      : memory(kernels::allocate(size * sizeof(float), stream)),
        group(dist::open_nccl(communicator, stream, deadline)),
        sum(dist::nccl_sum(*group, data(), dist::Wire::f32, "gradient bucket")) {
    fill(static_cast<float>(communicator.rank()) + 1);
  }
  [[nodiscard]] float* data() const { return reinterpret_cast<float*>(memory.data()); }
  void fill(float value) {
    const std::vector<float> values(size, value);
    kernels::upload(memory.data(), values.data(), memory.size(), stream);
  }
  [[nodiscard]] std::vector<float> read() {
    std::vector<float> values(size);
    kernels::download(values.data(), memory.data(), memory.size(), stream);
    return values;
  }
  void queue() {
    sum->begin(half, half);
    sum->begin(0, half);
    sum->finish();
  }

  static constexpr std::size_t size = 2000;
  static constexpr std::size_t half = 1000;
  kernels::CudaStream stream;
  kernels::Memory memory;
  std::unique_ptr<dist::NcclGroup> group;
  std::unique_ptr<dist::SliceSum> sum;
};

// Looks at a pulse a hundred times a second.
class PulseWatch {
 public:
  explicit PulseWatch(const dist::Pulse& pulse)
      : thread_([this, &pulse](const std::stop_token& stop) {
          while (!stop.stop_requested()) {
            if (pulse.waiting.load() != 0) ++seen_;
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
          }
        }) {}
  // How often it was marked.
  [[nodiscard]] int seen() const { return seen_.load(); }

 private:
  std::atomic<int> seen_{0};
  std::jthread thread_;
};

TEST(FakeNccl, WorkIsInTheStreamOnlyWhenNcclSaysSo) {
  for (const char* polls : {"0", "1", "7"})
    in_ranks(3, [polls](Communicator& communicator) {
      ::setenv("FAKE_NCCL_POLLS", polls, 1);
      {
        Member member(communicator);
        member.queue();
        member.group->settle();
        EXPECT_EQ(member.read(), std::vector<float>(Member::size, 6));
        kernels::StreamGraph graph(member.stream, [&] { member.queue(); });
        member.fill(2);
        graph.launch(member.stream);
        member.group->settle();
        EXPECT_EQ(member.read(), std::vector<float>(Member::size, 6));
      }
      EXPECT_EQ(misuses(), "");
    });
}

// For the supervisor, who may end a rank that waits for too long before it does so itself.
TEST(FakeNccl, MarksThePulseWhileItWaits) {
  in_ranks(2, [](Communicator& communicator) {
    if (communicator.rank() == 1) ::setenv("FAKE_NCCL_FAIL", "stuck:1", 1);
    Member member(communicator, 2);
    member.queue();
    EXPECT_EQ(communicator.pulse()->waiting.load(), 0);
    PulseWatch watch(*communicator.pulse());
    EXPECT_THROW(member.group->settle(), Error);
    EXPECT_GT(watch.seen(), 20);  // of about 200
    EXPECT_EQ(communicator.pulse()->waiting.load(), 0);
  });
}

// Others would have to wait: on the stream, and never in the host's calls.
TEST(FakeNccl, QueuesWithoutWaitingForOthers) {
  in_ranks(2, [](Communicator& communicator) {
    Member member(communicator);
    if (communicator.rank() == 1) std::this_thread::sleep_for(std::chrono::milliseconds(300));
    const auto start = std::chrono::steady_clock::now();
    member.queue();
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::milliseconds(200));
    member.group->settle();
    EXPECT_EQ(member.read(), std::vector<float>(Member::size, 3));
  });
}

// `fault` befalls rank 1 of 2; the leader and it expect errors with these parts. Both end without misuse.
void expect_fault(const char* fault, double deadline, bool replayed, const std::string& leaders,
                  const std::string& others) {
  SCOPED_TRACE(fault);
  const auto start = std::chrono::steady_clock::now();
  in_ranks(2, [&](Communicator& communicator) {
    ::setenv("FAKE_NCCL_POLLS", "2", 1);
    if (communicator.rank() == 1) ::setenv("FAKE_NCCL_FAIL", fault, 1);
    {
      Member member(communicator, deadline);
      std::optional<kernels::StreamGraph> graph;
      if (replayed) {
        member.queue();
        member.group->settle();
        graph.emplace(member.stream, [&] { member.queue(); });
      }
      expect_error(
          ErrorKind::environment,
          [&] {
            if (replayed)
              graph->launch(member.stream);
            else
              member.queue();
            member.group->settle();
          },
          communicator.rank() == 0 ? leaders : others);
      member.stream.synchronize();  // hangs unless the group was aborted
    }
    EXPECT_EQ(misuses(), "");
  });
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(15));
}

TEST(FakeNccl, ErrorsThatComeUpLaterNameTheBucket) {
  const std::string second = "gradient bucket 2 (values 0 to 999)";
  expect_fault("async:2", 2, false, second + ": another rank has not come within 2 s",
               second + ": remote process exited or there was a network error (a peer is gone)");
  expect_fault("async:4", 2, true, second + ": another rank has not come", second + ": remote process exited");
}

TEST(FakeNccl, WhatHangsIsAbortedAndNamed) {
  const std::string first =
      "NCCL cannot finish the sum of gradient bucket 1 (values 1000 to 1999): another rank has "
      "not come within 1 s";
  expect_fault("stuck:1", 1, false, first, first);
  expect_fault("stuck:3", 1, true, first, first);
}

TEST(FakeNccl, RefusedCallsNameTheBucket) {
  expect_fault("refuse:2", 1, false, "another rank has not come",
               "NCCL cannot begin the sum of gradient bucket 2 (values 0 to 999): unhandled system error (refused)");
}

TEST(FakeNccl, StartsInTimeOrNotAtAll) {
  in_ranks(2, [](Communicator& communicator) {
    kernels::CudaStream stream;
    if (communicator.rank() == 0) ::setenv("FAKE_NCCL_FAIL", "id", 1);
    expect_error(
        ErrorKind::environment, [&] { static_cast<void>(dist::open_nccl(communicator, stream, 1)); },
        "NCCL cannot start on rank 0: unhandled system error (no network interface)");
  });
  in_ranks(2, [](Communicator& communicator) {
    kernels::CudaStream stream;
    if (communicator.rank() == 1) ::setenv("FAKE_NCCL_POLLS", "1000000000", 1);
    const auto start = std::chrono::steady_clock::now();
    if (communicator.rank() == 0) {
      static_cast<void>(dist::open_nccl(communicator, stream, 1));
    } else {
      const PulseWatch watch(*communicator.pulse());
      expect_error(
          ErrorKind::environment, [&] { static_cast<void>(dist::open_nccl(communicator, stream, 1)); },
          "NCCL cannot find the other ranks' GPUs: another rank has not come within 1 s");
      EXPECT_GT(watch.seen(), 10);  // of about 100
    }
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5));
    EXPECT_EQ(misuses(), "");
  });
}

TEST(FakeNccl, EndsInTime) {
  in_ranks(1, [](Communicator& communicator) {
    ::setenv("FAKE_NCCL_FAIL", "finalize", 1);
    const auto start = std::chrono::steady_clock::now();
    { const Member member(communicator, 1); }
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5));
    EXPECT_EQ(misuses(), "");
  });
}

TEST(FakeNccl, OnTheWayOfAnotherErrorIsAborted) {
  in_ranks(2, [](Communicator& communicator) {
    const auto start = std::chrono::steady_clock::now();
    try {
      Member member(communicator, 60);
      if (communicator.rank() == 0) member.queue();  // rank 1 never does
      throw std::runtime_error("mine");
    } catch (const std::runtime_error&) {
      EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5));
    }
    EXPECT_EQ(misuses(), "");
  });
}

TEST(FakeNccl, DifferentOrderOrCountsAreReported) {
  for (const bool other_count : {false, true})
    in_ranks(2, [other_count](Communicator& communicator) {
      Member member(communicator, 5);
      const bool odd = communicator.rank() == 1;
      member.sum->begin(odd && !other_count ? 0 : Member::half, Member::half);
      member.sum->begin(odd && !other_count ? Member::half : 0, odd && other_count ? Member::half - 1 : Member::half);
      member.sum->finish();
      expect_error(
          ErrorKind::environment, [&] { member.group->settle(); }, "NCCL cannot finish the sum of gradient bucket 2",
          "rank 0 sums 1000 values of type 7 at -4000", other_count ? "rank 1 sums 999 values" : "at 4000");
      EXPECT_NE(misuses(), "");
    });
}

TEST(FakeNccl, TwoRanksOnOneGpuAreRefused) {
  in_ranks(3, [](Communicator& communicator) {
    emulator::be_device(communicator.rank() == 0 ? 1 : 2);
    kernels::CudaStream stream;
    expect_error(
        ErrorKind::environment, [&] { static_cast<void>(dist::open_nccl(communicator, stream, 30)); },
        "ranks 1 and 2 are both on device 0 of ", "GPU-02000000-0000-0000-0000-000000000000", "dist.backend");
  });
}

TEST(FakeNccl, AnAbsentLibraryIsSaid) {
  in_ranks(1, [](Communicator& communicator) {
    ::setenv("PLUME_NCCL", "/nowhere/libnccl.so.2", 1);
    kernels::CudaStream stream;
    expect_error(
        ErrorKind::environment, [&] { static_cast<void>(dist::open_nccl(communicator, stream, 30)); },
        "NCCL cannot be opened: /nowhere/libnccl.so.2");
  });
}

// It finds no driver where the emulator is the only device.
TEST(RealNccl, OpensAndFailsInOneLineWithoutAGpu) {
  if (std::filesystem::exists("/dev/nvidia0")) GTEST_SKIP() << "this machine has a GPU";
  const auto outcomes = outcomes_of(1, [](Communicator& communicator) {
    ::unsetenv("PLUME_NCCL");
    if (!dist::nccl_absence().empty()) throw environment_error("absent: {}", dist::nccl_absence());
    EXPECT_EQ(dist::nccl_version().substr(0, 2), "2.");
    kernels::CudaStream stream;
    static_cast<void>(dist::open_nccl(communicator, stream, 30));
  });
  const RankOutcome& outcome = outcomes.front();
  if (outcome.error.starts_with("absent: ")) GTEST_SKIP() << outcome.error;
  EXPECT_EQ(outcome.exit_code, static_cast<int>(ErrorKind::environment));
  EXPECT_TRUE(outcome.error.starts_with("NCCL cannot ")) << outcome.error;
  EXPECT_EQ(outcome.error.find('\n'), std::string::npos) << outcome.error;
  RecordProperty("error", outcome.error);
}

}  // namespace
}  // namespace plume::tests
