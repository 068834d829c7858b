// Streams, events, copies and graphs of the emulated device: what they order, and what a missing order shows.
#include <array>
#include <set>

#include "emulated.hpp"

namespace plume::tests {
namespace {

using testing::HasSubstr;

__global__ void add(int* x, int value) {
  if (threadIdx.x == 0) *x += value;
}
__global__ void store(int* x, const int* value) {
  *x = *value;
}
__global__ void fails() {
  __syncwarp(0);
}

class Streams : public Emulated {
 protected:
  Streams() {
    check(cudaStreamCreateWithFlags(&one_, cudaStreamNonBlocking));
    check(cudaStreamCreateWithFlags(&two_, cudaStreamNonBlocking));
    check(cudaEventCreateWithFlags(&event_, cudaEventDisableTiming));
    check(cudaMallocHost(&pinned_, sizeof(int)));
  }
  ~Streams() override {
    static_cast<void>(cudaFreeHost(pinned_));
    static_cast<void>(cudaEventDestroy(event_));
    static_cast<void>(cudaStreamDestroy(one_));
    static_cast<void>(cudaStreamDestroy(two_));
  }
  static void run(cudaStream_t stream, int* x, int value) { check(emulator::launch<add>(1, 1, 0, stream, x, value)); }

  // What x ends as when two streams work on it, over many orders.
  std::set<int> outcomes(bool waits) {
    std::set<int> found;
    for (int i = 0; i < 32; ++i) {
      const Device<int> x(std::vector<int>{1});
      const Device<int> y(1);
      run(one_, x.data(), 10);
      if (waits) check(cudaEventRecord(event_, one_));
      if (waits) check(cudaStreamWaitEvent(two_, event_));
      check(emulator::launch<store>(1, 1, 0, two_, y.data(), x.data()));
      check(cudaStreamSynchronize(one_));
      check(cudaStreamSynchronize(two_));
      found.insert(y.values()[0]);
    }
    return found;
  }

  cudaStream_t one_ = nullptr;
  cudaStream_t two_ = nullptr;
  cudaEvent_t event_ = nullptr;
  int* pinned_ = nullptr;
};

TEST_F(Streams, RunOnlyWhenWaitedFor) {
  *pinned_ = 5;
  const Device<int> x(std::vector<int>{0});
  check(cudaMemcpyAsync(x.data(), pinned_, sizeof(int), cudaMemcpyHostToDevice, one_));
  EXPECT_NE(cudaEventQuery(event_), cudaErrorNotReady) << "never recorded";
  *pinned_ = 6;  // too early: the copy has not run
  check(cudaStreamSynchronize(one_));
  EXPECT_EQ(x.values()[0], 6);
}

TEST_F(Streams, PageableMemoryIsReadAtOnce) {
  int value = 5;
  const Device<int> x(1);
  check(cudaMemcpyAsync(x.data(), &value, sizeof(int), cudaMemcpyHostToDevice, one_));
  value = 6;
  check(cudaStreamSynchronize(one_));
  EXPECT_EQ(x.values()[0], 5);
}

TEST_F(Streams, MissingEventWaitShows) {
  EXPECT_EQ(outcomes(true), (std::set<int>{11}));
  EXPECT_EQ(outcomes(false), (std::set<int>{1, 11}));
}

TEST_F(Streams, DefaultStreamWaitsForBlockingOnesAlone) {
  cudaStream_t blocking = nullptr;
  check(cudaStreamCreate(&blocking));
  std::set<int> found;
  for (int i = 0; i < 32; ++i) {
    const Device<int> x(std::vector<int>{0});
    run(one_, x.data(), 1);
    run(blocking, x.data(), 10);
    int value = 0;
    check(cudaMemcpy(&value, x.data(), sizeof(int), cudaMemcpyDeviceToHost));
    found.insert(value);
  }
  EXPECT_EQ(found, (std::set<int>{10, 11}));
  check(cudaStreamDestroy(blocking));
}

TEST_F(Streams, EventsTellHowFarAStreamIs) {
  const Device<int> x(std::vector<int>{0});
  run(one_, x.data(), 1);
  check(cudaEventRecord(event_, one_));
  while (cudaEventQuery(event_) == cudaErrorNotReady) {
  }
  EXPECT_EQ(cudaStreamQuery(one_), cudaSuccess);
  cudaEvent_t start = nullptr;
  cudaEvent_t end = nullptr;
  check(cudaEventCreate(&start));
  check(cudaEventCreate(&end));
  check(cudaEventRecord(start, one_));
  run(one_, x.data(), 1);
  check(cudaEventRecord(end, one_));
  float milliseconds = -1;
  EXPECT_EQ(cudaEventElapsedTime(&milliseconds, start, end), cudaErrorNotReady);
  check(cudaEventSynchronize(end));
  check(cudaEventElapsedTime(&milliseconds, start, end));
  EXPECT_GE(milliseconds, 0.0F);
  EXPECT_EQ(cudaEventElapsedTime(&milliseconds, event_, end), cudaErrorInvalidResourceHandle) << "takes no time";
  check(cudaEventDestroy(start));
  check(cudaEventDestroy(end));
}

TEST_F(Streams, FailuresDropWhatFollows) {
  const Device<int> x(std::vector<int>{0});
  check(emulator::launch<fails>(1, 32, 0, one_));
  run(one_, x.data(), 1);
  EXPECT_EQ(cudaStreamSynchronize(one_), cudaErrorLaunchFailure);
  EXPECT_THAT(emulator::take_report(), HasSubstr("fails"));
  EXPECT_EQ(x.values()[0], 0);
}

TEST_F(Streams, CopiesCheckTheirEnds) {
  const Device<int> x(4);
  std::array<int, 4> host{};
  EXPECT_EQ(cudaMemcpy(x.data(), host.data(), 16, cudaMemcpyDeviceToHost), cudaErrorInvalidValue);
  EXPECT_EQ(cudaMemcpy(x.data(), host.data(), 20, cudaMemcpyHostToDevice), cudaErrorInvalidValue);
  EXPECT_THAT(cudaGetErrorString(cudaErrorInvalidValue), HasSubstr("leaves its device allocation"));
  EXPECT_EQ(cudaMemset(host.data(), 0, 4), cudaErrorInvalidValue);
  int* gone = nullptr;
  check(cudaMalloc(&gone, 4));
  check(cudaFree(gone));
  EXPECT_EQ(cudaMemcpy(gone, host.data(), 4, cudaMemcpyHostToDevice), cudaErrorInvalidValue);
  EXPECT_EQ(cudaFree(gone), cudaErrorInvalidValue);
  EXPECT_EQ(emulator::launch<add>(1, 1, 0, one_, host.data(), 1), cudaErrorInvalidValue);
  EXPECT_EQ(emulator::launch<add>(1, 1, 0, one_, gone, 1), cudaErrorInvalidValue);
  static_cast<void>(cudaGetLastError());
}

TEST_F(Streams, Copy2D) {
  const Device<int> from(std::vector<int>{1, 2, 3, 4, 5, 6});
  const Device<int> to(std::vector<int>(6, 0));
  check(cudaMemcpy2DAsync(to.data() + 1, 12, from.data(), 12, 8, 2, cudaMemcpyDeviceToDevice, one_));
  check(cudaStreamSynchronize(one_));
  EXPECT_THAT(to.values(), testing::ElementsAre(0, 1, 2, 0, 4, 5));
}

TEST_F(Streams, MemoryIsCounted) {
  std::size_t before = 0;
  std::size_t total = 0;
  check(cudaMemGetInfo(&before, &total));
  {
    const Device<char> x(1000000);
    std::size_t now = 0;
    check(cudaMemGetInfo(&now, &total));
    EXPECT_EQ(before - now, 1000000U);
  }
  void* memory = nullptr;
  EXPECT_EQ(cudaMalloc(&memory, total + 1), cudaErrorMemoryAllocation);
  EXPECT_EQ(memory, nullptr);
}

TEST_F(Streams, GraphsReplayWhatWasCaptured) {
  const Device<int> x(std::vector<int>{0});
  const Device<int> y(std::vector<int>{0});
  cudaEvent_t back = nullptr;
  check(cudaEventCreateWithFlags(&back, cudaEventDisableTiming));
  check(cudaStreamBeginCapture(one_, cudaStreamCaptureModeThreadLocal));
  run(one_, x.data(), 1);
  check(cudaEventRecord(event_, one_));
  check(cudaStreamWaitEvent(two_, event_));  // two_ joins
  check(emulator::launch<store>(1, 1, 0, two_, y.data(), x.data()));
  check(cudaEventRecord(back, two_));
  check(cudaStreamWaitEvent(one_, back));
  run(one_, x.data(), 10);
  cudaGraph_t graph = nullptr;
  check(cudaStreamEndCapture(one_, &graph));
  std::size_t nodes = 0;
  check(cudaGraphGetNodes(graph, nullptr, &nodes));
  EXPECT_EQ(nodes, 3U);
  EXPECT_EQ(x.values()[0], 0) << "capture runs nothing";
  cudaGraphExec_t replay = nullptr;
  check(cudaGraphInstantiate(&replay, graph));
  check(cudaGraphDestroy(graph));
  for (int i = 0; i < 3; ++i) check(cudaGraphLaunch(replay, one_));
  check(cudaStreamSynchronize(one_));
  EXPECT_EQ(x.values()[0], 33);
  EXPECT_EQ(y.values()[0], 23);
  check(cudaGraphExecDestroy(replay));
  check(cudaEventDestroy(back));
}

TEST_F(Streams, CaptureForbidsWhatCannotBeReplayed) {
  const Device<int> x(1);
  int host = 0;
  void* memory = nullptr;
  cudaGraph_t graph = nullptr;
  const auto lost = [&](cudaError_t error, cudaError_t expected) {
    EXPECT_EQ(error, expected);
    EXPECT_EQ(cudaStreamEndCapture(one_, &graph), cudaErrorStreamCaptureInvalidated);
    EXPECT_EQ(graph, nullptr);
  };
  const auto begin = [&] { check(cudaStreamBeginCapture(one_, cudaStreamCaptureModeGlobal)); };
  begin();
  lost(cudaStreamSynchronize(one_), cudaErrorStreamCaptureUnsupported);
  begin();
  lost(cudaMalloc(&memory, 4), cudaErrorStreamCaptureUnsupported);
  begin();
  lost(cudaDeviceSynchronize(), cudaErrorStreamCaptureUnsupported);
  begin();
  lost(cudaMemcpy(&host, x.data(), 4, cudaMemcpyDeviceToHost), cudaErrorStreamCaptureUnsupported);
  begin();
  lost(cudaMemcpyAsync(&host, x.data(), 4, cudaMemcpyDeviceToHost, one_), cudaErrorStreamCaptureUnsupported);
  begin();
  check(cudaEventRecord(event_, two_));
  lost(cudaStreamWaitEvent(one_, event_), cudaErrorStreamCaptureIsolation);
  EXPECT_EQ(cudaStreamEndCapture(one_, &graph), cudaErrorStreamCaptureUnmatched);
  static_cast<void>(cudaGetLastError());
}

TEST_F(Streams, CaptureMustJoinItsForks) {
  const Device<int> x(std::vector<int>{0});
  check(cudaStreamBeginCapture(one_, cudaStreamCaptureModeThreadLocal));
  check(cudaEventRecord(event_, one_));
  check(cudaStreamWaitEvent(two_, event_));
  run(two_, x.data(), 1);
  cudaGraph_t graph = nullptr;
  EXPECT_EQ(cudaStreamEndCapture(one_, &graph), cudaErrorStreamCaptureUnjoined);
  static_cast<void>(cudaGetLastError());
}

TEST_F(Streams, RefuseWrongShapes) {
  const Device<int> x(1);
  for (const auto& [grid, block] : {std::pair<dim3, dim3>{0, 1}, {1, 0}, {1, 1025}, {{1, 65536}, 1}, {1, {32, 33}}}) {
    EXPECT_EQ(emulator::launch<add>(grid, block, 0, one_, x.data(), 1), cudaErrorInvalidConfiguration);
  }
  static_cast<void>(cudaGetLastError());
}

TEST(Schedule, IsOneOfFour) {
  EXPECT_EQ(emulator::Schedule::parse("seed:12").seed, 12U);
  for (const char* text : {"", "sideways", "seed:", "seed:x", "seed:1 "}) {
    EXPECT_THROW(static_cast<void>(emulator::Schedule::parse(text)), Error) << text;
  }
}

// Kernels of a library that wait for other processes: those behind them wait too, other streams and the host do not.
TEST_F(Streams, HeldWorkHoldsItsStreamAlone) {
  for (const bool recorded : {false, true}) {
    const Device<int> x(std::vector<int>{1});
    const Device<int> y(std::vector<int>{1});
    bool open = false;
    cudaGraph_t graph = nullptr;
    cudaGraphExec_t executable = nullptr;
    if (recorded) check(cudaStreamBeginCapture(one_, cudaStreamCaptureModeThreadLocal));
    run(one_, x.data(), 10);
    check(static_cast<cudaError_t>(emulator::queue_when(
        one_, [&] { return open; }, [&] { *x.data() *= 2; })));
    run(one_, x.data(), 100);
    if (recorded) {
      check(cudaStreamEndCapture(one_, &graph));
      check(cudaGraphInstantiate(&executable, graph));
      check(cudaGraphLaunch(executable, one_));
    }
    run(two_, y.data(), 1);
    check(cudaStreamSynchronize(two_));
    for (int i = 0; i < 10; ++i) EXPECT_EQ(cudaStreamQuery(one_), cudaErrorNotReady);
    EXPECT_EQ(*x.data(), 11);
    EXPECT_EQ(*y.data(), 2);
    open = true;
    check(cudaStreamSynchronize(one_));
    EXPECT_EQ(*x.data(), 122);
    static_cast<void>(cudaGetLastError());
    if (recorded) check(cudaGraphExecDestroy(executable));
    if (recorded) check(cudaGraphDestroy(graph));
  }
}

}  // namespace
}  // namespace plume::tests
