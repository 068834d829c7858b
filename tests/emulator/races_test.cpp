// Races that the emulator's detector must see, and synchronised code that it must leave alone.
#include "emulated.hpp"

namespace plume::tests {
namespace {

using kernels::cuda::named_barrier_arrive;
using kernels::cuda::named_barrier_sync;
using testing::AllOf;
using testing::HasSubstr;

template <bool barrier>
__global__ void reverse_in_shared(const float* in, float* out) {
  PLUME_SHARED(float, tile, 64);
  tile[threadIdx.x] = in[threadIdx.x];
  if (barrier) __syncthreads();
  out[threadIdx.x] = tile[63 - threadIdx.x];
}

// The next round's write meets the last round's reads.
template <bool barrier>
__global__ void reuse_shared(float* out, int rounds) {
  PLUME_SHARED(float, tile, 64);
  float sum = 0;
  for (int i = 0; i < rounds; ++i) {
    tile[threadIdx.x] = static_cast<float>(i);
    __syncthreads();
    sum += tile[63 - threadIdx.x];
    if (barrier) __syncthreads();
  }
  out[threadIdx.x] = sum;
}

template <bool sync>
__global__ void pass_within_warp(float* out) {
  PLUME_SHARED(float, tile, 32);
  tile[threadIdx.x] = 1.0F;
  if (sync) {
    __syncwarp();
  } else {
    __shfl_xor_sync(~0U, 1, 1);  // meets, but orders no memory
  }
  out[threadIdx.x] = tile[31 - threadIdx.x];
}

// __syncwarp orders a warp, not two.
__global__ void warp_sync_across_warps(float* out) {
  PLUME_SHARED(float, tile, 64);
  tile[threadIdx.x] = 1.0F;
  __syncwarp();
  out[threadIdx.x] = tile[63 - threadIdx.x];
}

template <bool same_half>
__global__ void pass_within_half(float* out) {
  PLUME_SHARED(float, tile, 32);
  tile[threadIdx.x] = 1.0F;
  __syncwarp(threadIdx.x < 16 ? 0x0000ffffU : 0xffff0000U);
  out[threadIdx.x] = tile[same_half ? threadIdx.x ^ 15 : threadIdx.x ^ 16];
}

// Neighbouring bytes and halves of one word are different places.
__global__ void write_bytes(unsigned char* bytes, unsigned short* halves) {
  const unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
  bytes[i] = static_cast<unsigned char>(i);
  halves[i] = static_cast<unsigned short>(i);
}

__global__ void blocks_write_one_word(int* x) {
  if (threadIdx.x == 0) *x = 1;
}

__global__ void block_reads_neighbour(int* x) {
  x[blockIdx.x] = 1;
  if (blockIdx.x > 0) x[8 + blockIdx.x] = x[blockIdx.x - 1];
}

__global__ void count(int* counter) {
  atomicAdd(counter, 1);
}

// The last block to finish adds up what the others left.
template <bool counted>
__global__ void last_block_sums(int* parts, int* counter, int* sum) {
  parts[blockIdx.x] = static_cast<int>(blockIdx.x);
  __threadfence();
  const int before = counted ? atomicAdd(counter, 1) : static_cast<int>(blockIdx.x);
  if (before != static_cast<int>(gridDim.x) - 1) return;
  int total = 0;
  for (unsigned i = 0; i < gridDim.x; ++i) total += parts[i];
  *sum = total;
}

// One warp writes, another reads once the barrier opens; without the consumer's answer the second write comes too soon.
template <bool answer>
__global__ void hand_over(float* out) {
  PLUME_SHARED(float, box, 32);
  if (threadIdx.x < 32) {
    box[threadIdx.x] = 1.0F;
    named_barrier_arrive(1, 64);
    if (answer) named_barrier_sync(2, 64);
    box[threadIdx.x] = 2.0F;
  } else {
    named_barrier_sync(1, 64);
    out[threadIdx.x - 32] = box[threadIdx.x - 32];
    if (answer) named_barrier_arrive(2, 64);
  }
}

class Races : public Scheduled {
 protected:
  void SetUp() override {
    if (!accesses_watched) GTEST_SKIP() << "the sanitizers watch accesses in this build";
  }
};
INSTANTIATE_TEST_SUITE_P(, Races, schedules(), schedule_name);

TEST_P(Races, MissingBarrierAfterAWrite) {
  const Device<float> in(std::vector<float>(64, 1.0F));
  const Device<float> out(64);
  EXPECT_THAT(report_of<reverse_in_shared<false>>({1, 64}, in.data(), out.data()),
              AllOf(HasSubstr("reverse_in_shared<false>"), HasSubstr("a race in shared memory"),
                    HasSubstr("at races_test.cpp:")));
  EXPECT_EQ(report_of<reverse_in_shared<true>>({1, 64}, in.data(), out.data()), "");
}

TEST_P(Races, MissingBarrierBeforeTheNextWrite) {
  const Device<float> out(64);
  EXPECT_THAT(report_of<reuse_shared<false>>({1, 64}, out.data(), 3), HasSubstr("a race in shared memory"));
  EXPECT_EQ(report_of<reuse_shared<true>>({1, 64}, out.data(), 3), "");
}

TEST_P(Races, WithinAWarp) {
  const Device<float> out(64);
  EXPECT_THAT(report_of<pass_within_warp<false>>({1, 32}, out.data()), HasSubstr("a race in shared memory"));
  EXPECT_EQ(report_of<pass_within_warp<true>>({1, 32}, out.data()), "");
  EXPECT_THAT(report_of<warp_sync_across_warps>({1, 64}, out.data()), HasSubstr("a race in shared memory"));
  EXPECT_EQ(report_of<pass_within_half<true>>({1, 32}, out.data()), "");
  EXPECT_THAT(report_of<pass_within_half<false>>({1, 32}, out.data()), HasSubstr("a race in shared memory"));
}

TEST_P(Races, NeighboursInAWordAreNone) {
  const Device<unsigned char> bytes(128);
  const Device<unsigned short> halves(128);
  EXPECT_EQ(report_of<write_bytes>({4, 32}, bytes.data(), halves.data()), "");
}

TEST_P(Races, BetweenBlocks) {
  const Device<int> x(32);
  EXPECT_THAT(report_of<blocks_write_one_word>({2, 32}, x.data()),
              AllOf(HasSubstr("a race in device memory"), HasSubstr("of another block")));
  EXPECT_EQ(report_of<blocks_write_one_word>({1, 32}, x.data()), "");
  EXPECT_THAT(report_of<block_reads_neighbour>({8, 1}, x.data()), HasSubstr("a race in device memory"));
}

TEST_P(Races, AtomicsOrderBlocks) {
  const Device<int> counter(std::vector<int>{0});
  EXPECT_EQ(report_of<count>({5, 64}, counter.data()), "");
  EXPECT_EQ(counter.values()[0], 320);
  const Device<int> parts(4);
  const Device<int> sum(1);
  const Device<int> zero(std::vector<int>{0});
  EXPECT_EQ(report_of<last_block_sums<true>>({4, 1}, parts.data(), zero.data(), sum.data()), "");
  EXPECT_EQ(sum.values()[0], 6);
  EXPECT_THAT(report_of<last_block_sums<false>>({4, 1}, parts.data(), zero.data(), sum.data()),
              HasSubstr("a race in device memory"));
}

TEST_P(Races, AcrossNamedBarriers) {
  const Device<float> out(32);
  EXPECT_EQ(report_of<hand_over<true>>({1, 64}, out.data()), "");
  EXPECT_THAT(report_of<hand_over<false>>({1, 64}, out.data()), HasSubstr("a race in shared memory"));
}

__global__ void read_past_the_end(const float* x, float* y, int n) {
  if (threadIdx.x == 5) y[0] = x[n];
}
__global__ void write_past_the_end(float* x, int n) {
  x[static_cast<unsigned>(n) + threadIdx.x] = 0;
}
__global__ void misaligned(const float* x, float* y) {
  *reinterpret_cast<float4*>(y) = *reinterpret_cast<const float4*>(x + 1);
}
__global__ void shared_past_the_end(float* y, int n) {
  PLUME_SHARED(float, tile, 16);
  tile[threadIdx.x] = 1;
  __syncthreads();
  y[threadIdx.x] = tile[n];
}

class Bounds : public Emulated {
 protected:
  void SetUp() override {
    if (!accesses_watched) GTEST_SKIP() << "the sanitizers watch accesses in this build";
  }
};

TEST_F(Bounds, ReadPastTheEnd) {
  const Device<float> x(std::vector<float>(7, 1.0F));
  const Device<float> y(1);
  EXPECT_THAT(report_of<read_past_the_end>({1, 32}, x.data(), y.data(), 7),
              AllOf(HasSubstr("read_past_the_end"), HasSubstr("thread (5,0,0) at races_test.cpp:"),
                    HasSubstr("a read of 4 bytes outside of every array in device memory")));
}

TEST_F(Bounds, SharedPastTheEnd) {
  const Device<float> y(16);
  EXPECT_THAT(report_of<shared_past_the_end>({1, 16}, y.data(), 16),
              HasSubstr("a read of 4 bytes outside of every array in shared memory"));
}

TEST_F(Bounds, MisalignedPack) {
  const Device<float> x(std::vector<float>(8, 1.0F));
  const Device<float> y(4);
  // The processor may refuse it too, so that the program ends here.
  EXPECT_DEATH(
      {
        static_cast<void>(report_of<misaligned>({1, 1}, x.data(), y.data()));
        std::abort();
      },
      "kernel .*misaligned, .* at races_test.cpp:[0-9]+: a misaligned (read|write) of 16 bytes");
}

// Seen by its red zone where accesses are not watched.
TEST_F(Emulated, WritePastTheEndOfDeviceMemory) {
  const Device<float> x(7);
  EXPECT_THAT(report_of<write_past_the_end>({1, 2}, x.data(), 7),
              AllOf(HasSubstr("write_past_the_end"), HasSubstr(accesses_watched ? "outside of" : "past the end")));
}

}  // namespace
}  // namespace plume::tests
