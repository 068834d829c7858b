// Sites that are left out: masks, barriers and shuffles behave as if they were not there, so that tests can show that they
// are needed.
#include <fmt/core.h>

#include <algorithm>
#include <numeric>

#include "emulated.hpp"

namespace plume::tests {
namespace {

using kernels::cuda::in_bounds;
using testing::HasSubstr;

constexpr unsigned guarded_line = __LINE__ + 3;
__global__ void write_guarded(float* out, int count) {
  const int i = static_cast<int>(threadIdx.x);
  if (in_bounds(i >= 0) && in_bounds(i < count)) out[i] = 1.0F;
}

constexpr unsigned loop_line = __LINE__ + 2;
__global__ void write_in_loop(float* out, int count) {
  for (int i = 0; in_bounds(i < count); ++i) out[i] = 1.0F;
}

constexpr unsigned barrier_line = __LINE__ + 4;
__global__ void reverse(float* out) {
  PLUME_SHARED(float, tile, 64);
  tile[threadIdx.x] = static_cast<float>(threadIdx.x);
  __syncthreads();
  out[threadIdx.x] = tile[63 - threadIdx.x];
}

constexpr unsigned shuffle_line = __LINE__ + 2;
__global__ void swap_neighbours(float* out) {
  out[threadIdx.x] = __shfl_xor_sync(0xFFFFFFFFU, static_cast<float>(threadIdx.x), 1);
}

constexpr unsigned vote_line = __LINE__ + 2;
__global__ void vote(float* out) {
  out[threadIdx.x] = static_cast<float>(__popc(__ballot_sync(0xFFFFFFFFU, threadIdx.x < 8 ? 1 : 0)));
}

class LeftOut : public Emulated {
 protected:
  ~LeftOut() override { emulator::leave_out(""); }

  static void leave_out(unsigned line) { emulator::leave_out(fmt::format("/left_out_test.cpp:{}", line)); }
  static void leave_out(unsigned line, unsigned column) {
    emulator::leave_out(fmt::format("/left_out_test.cpp:{}:{}", line, column));
  }
};

TEST_F(LeftOut, MasksAreHeldUntilThen) {
  const Device<float> out(60);
  EXPECT_EQ(report_of<write_guarded>({dim3(1), dim3(64)}, out.data(), 60), "");
  EXPECT_EQ(out.values(), std::vector<float>(60, 1.0F));
}

TEST_F(LeftOut, AMaskIsMissed) {
  if (!accesses_watched) GTEST_SKIP() << "the sanitizers watch accesses in this build";
  const Device<float> out(60);
  leave_out(guarded_line);
  EXPECT_THAT(report_of<write_guarded>({dim3(1), dim3(64)}, out.data(), 60), HasSubstr("outside of every array"));
  emulator::leave_out("");
  EXPECT_EQ(report_of<write_guarded>({dim3(1), dim3(64)}, out.data(), 60), "");
}

// Of two masks in a line, the column picks one: the first holds nothing back, so that it is not missed.
TEST_F(LeftOut, MasksOfALineAreToldApart) {
  if (!accesses_watched) GTEST_SKIP() << "the sanitizers watch accesses in this build";
  const Device<float> out(60);
  leave_out(guarded_line, 16);
  EXPECT_EQ(report_of<write_guarded>({dim3(1), dim3(64)}, out.data(), 60), "");
  leave_out(guarded_line, 37);
  EXPECT_THAT(report_of<write_guarded>({dim3(1), dim3(64)}, out.data(), 60), HasSubstr("outside of every array"));
}

TEST_F(LeftOut, ALoopWithoutItsBoundEnds) {
  if (!accesses_watched) GTEST_SKIP() << "the sanitizers watch accesses in this build";
  const Device<float> out(60);
  leave_out(loop_line);
  EXPECT_THAT(report_of<write_in_loop>({dim3(1), dim3(1)}, out.data(), 60), HasSubstr("outside of every array"));
}

TEST_F(LeftOut, ABarrierIsMissed) {
  if (!accesses_watched) GTEST_SKIP() << "the sanitizers watch accesses in this build";
  const Device<float> out(64);
  leave_out(barrier_line);
  EXPECT_THAT(report_of<reverse>({dim3(1), dim3(64)}, out.data()), HasSubstr("race"));
}

TEST_F(LeftOut, AShuffleGivesTheLanesOwnValue) {
  const Device<float> out(32);
  std::vector<float> own(32);
  std::iota(own.begin(), own.end(), 0.0F);
  leave_out(shuffle_line);
  EXPECT_EQ(report_of<swap_neighbours>({dim3(1), dim3(32)}, out.data()), "");
  EXPECT_EQ(out.values(), own);
}

TEST_F(LeftOut, AVoteCountsTheLaneAlone) {
  const Device<float> out(32);
  std::vector<float> own(32, 0.0F);
  std::fill_n(own.begin(), 8, 1.0F);
  leave_out(vote_line);
  EXPECT_EQ(report_of<vote>({dim3(1), dim3(32)}, out.data()), "");
  EXPECT_EQ(out.values(), own);
}

}  // namespace
}  // namespace plume::tests
