// Barriers, warp operations and the index variables, right and wrong.
#include <numeric>

#include "emulated.hpp"

namespace plume::tests {
namespace {

using kernels::cuda::named_barrier_arrive;
using kernels::cuda::named_barrier_sync;
using testing::AllOf;
using testing::HasSubstr;

__global__ void write_indices(uint3* at) {
  const unsigned thread = threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z);
  const unsigned block = blockIdx.x + gridDim.x * (blockIdx.y + gridDim.y * blockIdx.z);
  at[block * blockDim.x * blockDim.y * blockDim.z + thread] = {threadIdx.x, threadIdx.y * 100 + threadIdx.z,
                                                               blockIdx.x + 10 * blockIdx.y + 100 * blockIdx.z};
}

// Sums each warp by shuffles, then the block through shared memory; result[block] is the sum.
__global__ void sum(const float* x, float* result, int n) {
  PLUME_SHARED(float, partial, 32);
  float value = 0;
  for (unsigned i = blockIdx.x * blockDim.x + threadIdx.x; i < static_cast<unsigned>(n); i += blockDim.x * gridDim.x) {
    value += x[i];
  }
  for (int d = 16; d > 0; d /= 2) value += __shfl_xor_sync(~0U, value, d);
  if (threadIdx.x % 32 == 0) partial[threadIdx.x / 32] = value;
  __syncthreads();
  if (threadIdx.x == 0) {
    float total = 0;
    for (unsigned warp = 0; warp < blockDim.x / 32; ++warp) total += partial[warp];
    result[blockIdx.x] = total;
  }
}

// What every shuffle and vote gives each lane of the warp's halves, which meet apart.
__global__ void halves(int* out) {
  const int lane = static_cast<int>(threadIdx.x % 32);
  const unsigned mask = lane < 16 ? 0x0000ffffU : 0xffff0000U;
  if (lane < 16) {
    for (int i = 0; i < 3; ++i) out[lane] = __shfl_sync(mask, lane, (lane + 1) % 16);
  } else {
    out[lane] = __shfl_sync(mask, lane, 31 - lane % 16);
  }
  out[32 + lane] = __shfl_down_sync(~0U, lane, 4, 16);
  out[64 + lane] = __shfl_up_sync(~0U, lane, 4, 16);
  out[96 + lane] = __any_sync(mask, lane == 3);
  out[128 + lane] = __all_sync(mask, lane >= 16);
  out[160 + lane] = __popc(__ballot_sync(~0U, lane % 3 == 0));
}

__global__ void reduce_votes(int* out) {
  const int any = __syncthreads_or(threadIdx.x == 70);
  const int all = __syncthreads_and(threadIdx.x != 70);
  const int count = __syncthreads_count(threadIdx.x % 2 == 0);
  out[threadIdx.x] = any * 1000000 + all * 10000 + count;
}

// Warp 0 fills, the others drain, with a barrier for full and one for empty.
__global__ void produce_and_consume(const int* in, int* out, int rounds) {
  PLUME_SHARED(int, box, 32);
  if (threadIdx.x < 32) {
    for (int i = 0; i < rounds; ++i) {
      if (i > 0) named_barrier_sync(2, 96);
      box[threadIdx.x] = in[i * 32 + static_cast<int>(threadIdx.x)];
      named_barrier_arrive(1, 96);
    }
  } else {
    int total = 0;
    for (int i = 0; i < rounds; ++i) {
      named_barrier_sync(1, 96);
      total += box[threadIdx.x % 32] * (i + 1);
      if (i + 1 < rounds) named_barrier_arrive(2, 96);
    }
    out[threadIdx.x - 32] = total;
  }
}

class Threads : public Scheduled {};
INSTANTIATE_TEST_SUITE_P(, Threads, schedules(), schedule_name);

TEST_P(Threads, KnowTheirIndices) {
  const Device<uint3> at(2 * 3 * 2 * 24);
  launch<write_indices>({{2, 3, 2}, {4, 3, 2}}, stream_, at.data());
  const std::vector<uint3> found = at.values();
  EXPECT_EQ(found[24 * 11 + 23].x, 3U);
  EXPECT_EQ(found[24 * 11 + 23].y, 201U);
  EXPECT_EQ(found[24 * 11 + 23].z, 121U);
  EXPECT_EQ(found[4].x, 0U);
  EXPECT_EQ(found[4].y, 100U);
}

TEST_P(Threads, SumOverWarpsAndBlocks) {
  std::vector<float> x(1000);
  std::iota(x.begin(), x.end(), 1.0F);
  const Device<float> in(x);
  const Device<float> out(3);
  launch<sum>({3, 128}, stream_, in.data(), out.data(), 1000);
  const std::vector<float> sums = out.values();
  EXPECT_EQ(sums[0] + sums[1] + sums[2], 500500.0F);
}

TEST_P(Threads, ShuffleAndVoteByMask) {
  const Device<int> out(192);
  launch<halves>({1, 32}, stream_, out.data());
  const std::vector<int> found = out.values();
  for (int lane = 0; lane < 32; ++lane) {
    const auto at = [&](int row) { return found[static_cast<std::size_t>(row * 32 + lane)]; };
    EXPECT_EQ(at(0), lane < 16 ? (lane + 1) % 16 : 31 - lane % 16) << lane;
    EXPECT_EQ(at(1), lane % 16 < 12 ? lane + 4 : lane) << lane;
    EXPECT_EQ(at(2), lane % 16 >= 4 ? lane - 4 : lane) << lane;
    EXPECT_EQ(at(3), lane < 16 ? 1 : 0) << lane;
    EXPECT_EQ(at(4), lane < 16 ? 0 : 1) << lane;
    EXPECT_EQ(at(5), 11) << lane;
  }
}

TEST_P(Threads, VoteAtTheBlocksBarrier) {
  const Device<int> out(96);
  launch<reduce_votes>({1, 96}, stream_, out.data());
  EXPECT_THAT(out.values(), testing::Each(1000048));
}

TEST_P(Threads, HandOverAtNamedBarriers) {
  std::vector<int> in(32 * 5);
  std::iota(in.begin(), in.end(), 0);
  const Device<int> from(in);
  const Device<int> to(64);
  launch<produce_and_consume>({1, 96}, stream_, from.data(), to.data(), 5);
  const std::vector<int> found = to.values();
  for (int i = 0; i < 64; ++i) EXPECT_EQ(found[static_cast<std::size_t>(i)], 15 * (i % 32) + 32 * 40) << i;
}

__global__ void divergent_shuffle(float* x) {
  if (threadIdx.x == 0) x[0] = __shfl_xor_sync(~0U, 1.0F, 1);
  __syncthreads();
}

__global__ void lane_not_in_mask(float* x) {
  x[0] = __shfl_xor_sync(0xfffeU, 1.0F, 1);
}

__global__ void source_not_in_mask(float* x) {
  if (threadIdx.x < 16) x[threadIdx.x] = __shfl_sync(0xffffU, 1.0F, 20);
}

__global__ void exited_lane_in_mask(float* x) {
  if (threadIdx.x >= 16) return;
  x[threadIdx.x] = __shfl_sync(~0U, 1.0F, 0);
}

__global__ void absent_lane_in_mask() {
  __syncwarp();
}

__global__ void exit_before_barrier(int n) {
  if (threadIdx.x >= static_cast<unsigned>(n)) return;
  __syncthreads();
}

__global__ void barriers_at_two_places() {
  if (threadIdx.x < 32) {
    __syncthreads();
  } else {
    __syncthreads();
  }
}

__global__ void barrier_of_nobody() {
  named_barrier_sync(3, 64);
}
__global__ void barrier_id(int id) {
  named_barrier_sync(id, 32);
}
__global__ void barrier_counts() {
  named_barrier_sync(1, threadIdx.x < 32 ? 64 : 96);
}
__global__ void barrier_fraction() {
  named_barrier_sync(1, 40);
}

using WrongThreads = Emulated;

TEST_F(WrongThreads, DivergentShuffleIsADeadlock) {
  const Device<float> x(1);
  const std::string report = report_of<divergent_shuffle>({2, 64}, x.data());
  EXPECT_THAT(report, AllOf(HasSubstr("divergent_shuffle"), HasSubstr("block (0,0,0)"),
                            HasSubstr("1 from thread (0,0,0) wait for a shuffle at threads_test.cpp:"),
                            HasSubstr("63 from thread (1,0,0) wait for __syncthreads at threads_test.cpp:")));
}

TEST_F(WrongThreads, LaneOutsideItsOwnMask) {
  const Device<float> x(1);
  EXPECT_THAT(report_of<lane_not_in_mask>({1, 32}, x.data()), AllOf(HasSubstr("thread (0,0,0) at threads_test.cpp:"),
                                                                    HasSubstr("lane 0 is not in its mask 0x0000fffe")));
}

TEST_F(WrongThreads, ShuffleFromALaneOutsideTheMask) {
  const Device<float> x(32);
  EXPECT_THAT(report_of<source_not_in_mask>({1, 32}, x.data()), HasSubstr("reads lane 20"));
}

TEST_F(WrongThreads, MaskNamesLanesThatHaveExited) {
  const Device<float> x(32);
  emulator::set_schedule(emulator::Schedule::parse("reverse"));
  EXPECT_THAT(report_of<exited_lane_in_mask>({1, 32}, x.data()), HasSubstr("lanes that have exited (0xffff0000)"));
  emulator::set_schedule(emulator::Schedule::parse("forward"));
  EXPECT_THAT(report_of<exited_lane_in_mask>({1, 32}, x.data()), HasSubstr("exits while lanes of its warp wait"));
}

TEST_F(WrongThreads, MaskNamesLanesBeyondTheBlock) {
  EXPECT_THAT(report_of<absent_lane_in_mask>({1, 16}), HasSubstr("beyond the block's 16 threads"));
}

TEST_F(WrongThreads, ExitWhileOthersWait) {
  EXPECT_THAT(report_of<exit_before_barrier>({1, 64}, 40),
              AllOf(HasSubstr("thread (40,0,0)"), HasSubstr("exits while 40 threads wait at __syncthreads")));
  emulator::set_schedule(emulator::Schedule::parse("reverse"));
  EXPECT_THAT(report_of<exit_before_barrier>({1, 64}, 40), HasSubstr("will not reach: they have exited"));
  emulator::set_schedule(emulator::Schedule::parse("forward"));
}

TEST_F(WrongThreads, BarriersInTwoBranches) {
  EXPECT_THAT(report_of<barriers_at_two_places>({1, 64}), HasSubstr("__syncthreads diverges: 32 threads wait at"));
}

TEST_F(WrongThreads, NamedBarriers) {
  EXPECT_THAT(report_of<barrier_of_nobody>({1, 32}), HasSubstr("at most the block's 32"));
  EXPECT_THAT(report_of<barrier_of_nobody>({1, 96}), HasSubstr("wait for a named barrier"));
  EXPECT_THAT(report_of<barrier_id>({1, 32}, 0), HasSubstr("named barriers are 1 to 15"));
  EXPECT_THAT(report_of<barrier_id>({1, 32}, 16), HasSubstr("named barriers are 1 to 15"));
  EXPECT_THAT(report_of<barrier_counts>({1, 96}), HasSubstr("but 32 wait at"));
  EXPECT_THAT(report_of<barrier_fraction>({1, 64}), HasSubstr("a multiple of 32"));
}

// A failure is not the end: the next launch runs on the same fibres.
TEST_F(WrongThreads, LeaveTheNextLaunchAlone) {
  const Device<float> x(1);
  for (int i = 0; i < 3; ++i) {
    EXPECT_NE(report_of<divergent_shuffle>({1, 1024}, x.data()), "");
    const Device<float> in(std::vector<float>(100, 2.0F));
    const Device<float> out(1);
    launch<sum>({1, 1024}, stream_, in.data(), out.data(), 100);
    EXPECT_EQ(out.values()[0], 200.0F);
  }
}

TEST_F(WrongThreads, EveryCallFailsUntilTheReportIsTaken) {
  launch<absent_lane_in_mask>({1, 16}, stream_);
  EXPECT_EQ(cudaDeviceSynchronize(), cudaErrorLaunchFailure);
  void* memory = nullptr;
  EXPECT_EQ(cudaMalloc(&memory, 4), cudaErrorLaunchFailure);
  EXPECT_THAT(cudaGetErrorString(cudaErrorLaunchFailure), HasSubstr("absent_lane_in_mask"));
  EXPECT_NE(emulator::take_report(), "");
  EXPECT_EQ(cudaDeviceSynchronize(), cudaSuccess);
}

TEST(Device, CodeOutsideOfKernelsIsRefused) {
  EXPECT_ANY_THROW(__syncthreads());
}

}  // namespace
}  // namespace plume::tests
