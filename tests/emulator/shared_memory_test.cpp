// Shared memory, asynchronous copies into it, and the limits of both.
#include <numeric>

#include "emulated.hpp"

namespace plume::tests {
namespace {

using kernels::cuda::cp_async16;
using kernels::cuda::cp_async_commit;
using kernels::cuda::cp_async_wait;
using kernels::cuda::dynamic_shared;
using testing::AllOf;
using testing::Each;
using testing::HasSubstr;
using testing::IsNan;

// Two arrays and the dynamic part are three places, the same for all threads, and new in each block.
__global__ void fill_all(int* out) {
  PLUME_SHARED(int, a, 32);
  PLUME_SHARED(short, b, 33);
  int* c = dynamic_shared<int>();
  const unsigned i = threadIdx.x;
  const bool fresh = a[i] == -1 && b[i] == -1 && c[i] == -1;
  __syncthreads();
  a[i] = 1;
  b[i] = 2;
  c[i] = 3;
  __syncthreads();
  const unsigned other = 31 - i;
  out[blockIdx.x * 32 + i] = fresh ? a[other] + 10 * b[other] + 100 * c[other] : 0;
}

__global__ void read_unwritten(float* out) {
  PLUME_SHARED(float, tile, 32);
  out[threadIdx.x] = tile[threadIdx.x];
}

template <int at>
__global__ void write_at() {
  PLUME_SHARED(float, tile, 32);
  volatile float* outside = tile;
  outside[at] = 1;
}

__global__ void use_dynamic() {
  dynamic_shared<float>()[0] = 1;
}

template <int count>
__global__ void use_static() {
  PLUME_SHARED(float, tile, count);
  tile[threadIdx.x] = 1;
}

class SharedMemory : public Scheduled {};
INSTANTIATE_TEST_SUITE_P(, SharedMemory, schedules(), schedule_name);

TEST_P(SharedMemory, IsTheBlocks) {
  const Device<int> out(96);
  launch<fill_all>({3, 32, 128}, stream_, out.data());
  EXPECT_THAT(out.values(), Each(321));
}

TEST_F(Emulated, SharedMemoryIsPoisoned) {
  const Device<float> out(32);
  launch<read_unwritten>({1, 32}, stream_, out.data());
  EXPECT_THAT(out.values(), Each(IsNan()));
}

TEST_F(Emulated, DeviceMemoryIsPoisoned) {
  const Device<float> x(1000);
  EXPECT_THAT(x.values(), Each(IsNan()));
}

TEST_F(Emulated, WritesBesideSharedMemory) {
  EXPECT_THAT(
      report_of<write_at<32>>({1, 1}),
      AllOf(HasSubstr("write_at<32>"), HasSubstr(accesses_watched ? "outside of" : "past the end of shared tile")));
  EXPECT_THAT(report_of<write_at<-1>>({1, 1}), HasSubstr(accesses_watched ? "outside of" : "before the start"));
}

TEST_F(Emulated, SharedMemoryHasLimits) {
  EXPECT_THAT(report_of<use_dynamic>({1, 1}), HasSubstr("the launch asked for none"));
  EXPECT_EQ(report_of<use_static<12288>>({1, 1}), "");
  EXPECT_THAT(report_of<use_static<12289>>({1, 1}), HasSubstr("49156 bytes of static shared memory"));
  EXPECT_EQ(report_of<use_dynamic>({1, 1, 227 * 1024}), "");
  EXPECT_THROW(report_of<use_dynamic>({1, 1, 227 * 1024 + 1}), Error);
  EXPECT_THAT(report_of<use_static<64>>({1, 1, 48 * 1024}), HasSubstr("256 bytes of static and 49152 of dynamic"));
  // Without asking, as a launch by hand would be.
  EXPECT_EQ(emulator::launch<use_static<65>>(1, 1, 48 * 1024 + 1, nullptr), cudaErrorInvalidConfiguration);
  EXPECT_THAT(cudaGetErrorString(cudaGetLastError()), HasSubstr("without cudaFuncSetAttribute, 49152"));
}

// Copies `stages` tiles ahead; with a wait or a barrier left out, some thread reads what is not there.
template <int pending, bool barrier>
__global__ void pipeline(const float* in, float* out, int tiles) {
  constexpr int stages = 2;
  PLUME_SHARED(float4, tile, stages * 32);
  const unsigned i = threadIdx.x;
  const auto* from = reinterpret_cast<const float4*>(in);
  const auto fetch = [&](int t) {
    if (t < tiles)
      cp_async16(&tile[static_cast<unsigned>(t % stages) * 32 + i], &from[static_cast<unsigned>(t) * 32 + i]);
    cp_async_commit();
  };
  fetch(0);
  float sum = 0;
  for (int t = 0; t < tiles; ++t) {
    fetch(t + 1);
    cp_async_wait<pending>();
    __syncthreads();
    const float4 pack = tile[static_cast<unsigned>(t % stages) * 32 + (31 - i)];
    sum += pack.x + pack.y + pack.z + pack.w;
    if (barrier) __syncthreads();
  }
  out[i] = sum;
}

__global__ void zero_fill(float* out) {
  PLUME_SHARED(float4, tile, 1);
  cp_async16(tile, nullptr, false);
  cp_async_commit();
  cp_async_wait<0>();
  out[0] = tile[0].x + tile[0].w;
}

__global__ void copy_to(const float* in, int to, int from) {
  PLUME_SHARED(float4, tile, 2);
  cp_async16(reinterpret_cast<float*>(tile) + to, in + from);
  cp_async_commit();
  cp_async_wait<0>();
}

__global__ void copy_outside(const float* in, float* out) {
  cp_async16(out, in);
}

class AsyncCopies : public Scheduled {
 protected:
  AsyncCopies() : values_(32 * 4 * 5) { std::iota(values_.begin(), values_.end(), 0.0F); }
  std::vector<float> values_;
};
INSTANTIATE_TEST_SUITE_P(, AsyncCopies, schedules(), schedule_name);

TEST_P(AsyncCopies, LandInOrder) {
  const Device<float> in(values_);
  const Device<float> out(32);
  launch<pipeline<1, true>>({1, 32}, stream_, in.data(), out.data(), 5);
  const std::vector<float> sums = out.values();
  EXPECT_EQ(std::accumulate(sums.begin(), sums.end(), 0.0F), 640.0F * 639 / 2);
}

TEST_P(AsyncCopies, NotWaitedForAreNotThere) {
  const Device<float> in(values_);
  const Device<float> out(32);
  const std::string report = report_of<pipeline<2, true>>({1, 32}, in.data(), out.data(), 5);
  if (report.empty()) {
    EXPECT_THAT(out.values(), Each(IsNan()));
  }
}

TEST_P(AsyncCopies, IntoWhatIsStillRead) {
  const Device<float> in(values_);
  const Device<float> out(32);
  const std::string report = report_of<pipeline<1, false>>({1, 32}, in.data(), out.data(), 5);
  EXPECT_THAT(report, HasSubstr(accesses_watched ? "a race in shared memory" : ""));
}

TEST_F(Emulated, AsyncCopiesFillZeros) {
  const Device<float> out(1);
  launch<zero_fill>({1, 1}, stream_, out.data());
  EXPECT_EQ(out.values()[0], 0.0F);
}

TEST_F(Emulated, AsyncCopiesAreAligned) {
  const Device<float> in(8);
  EXPECT_EQ(report_of<copy_to>({1, 1}, in.data(), 4, 4), "");
  EXPECT_THAT(report_of<copy_to>({1, 1}, in.data(), 1, 0), HasSubstr("the shared address is not 16-byte aligned"));
  EXPECT_THAT(report_of<copy_to>({1, 1}, in.data(), 0, 1), HasSubstr("the global address is not 16-byte aligned"));
  EXPECT_THAT(report_of<copy_outside>({1, 1}, in.data(), in.data()), HasSubstr("the destination is not shared memory"));
}

}  // namespace
}  // namespace plume::tests
