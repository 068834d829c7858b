// The language of plume's kernels under nvcc: launches, shared memory, and PTX behind small named functions. The
// emulator has a header of the same name with a host twin of each (kernels/emulator).
// Source of the fragment layouts and instructions: NVIDIA, "PTX ISA", sections on mma, ldmatrix and cp.async.
#pragma once

#include <cuda_runtime.h>

#include <cstddef>
#include <cstdint>

#include "kernels/cuda/check.hpp"
#include "kernels/cuda/stream_state.hpp"

// An array shared by the threads of a block; at function scope.
#define PLUME_SHARED(T, name, N) __shared__ T name[N]

// A branch that the tests must reach; counted by the emulator alone.
#define PLUME_COVER(name) static_cast<void>(0)

namespace plume::kernels::cuda {

// Marks a mask: what a thread does only where `inside`, since beyond it there is nothing to read, write or add. The
// emulator can leave masks out one by one, and tests must notice each.
[[nodiscard]] __device__ constexpr bool in_bounds(bool inside) {
  return inside;
}

struct LaunchShape {
  dim3 grid;
  dim3 block;
  std::size_t dynamic_shared = 0;  // bytes per block
};

// Queues a kernel. Throws environment_error where it cannot be launched.
template <auto kernel, class... A>
void launch(const LaunchShape& shape, CudaStream& stream, A... args) {
  constexpr std::size_t without_opt_in = 48 * 1024;
  const auto* function = reinterpret_cast<const void*>(kernel);
  if (shape.dynamic_shared > without_opt_in) {
    check(cudaFuncSetAttribute(function, cudaFuncAttributeMaxDynamicSharedMemorySize,
                               static_cast<int>(shape.dynamic_shared)));
  }
  kernel<<<shape.grid, shape.block, shape.dynamic_shared, stream.state().stream>>>(args...);
  check(cudaGetLastError());
}

template <class T>
__device__ T* dynamic_shared() {
  extern __shared__ __align__(16) unsigned char plume_dynamic_shared[];
  return reinterpret_cast<T*>(plume_dynamic_shared);
}

__device__ inline unsigned shared_address(const void* shared) {
  return static_cast<unsigned>(__cvta_generic_to_shared(shared));
}

// `threads` threads of the block, whole warps, meet at barrier `id` (1 to 15).
__device__ inline void named_barrier_sync(int id, int threads) {
  asm volatile("bar.sync %0, %1;" ::"r"(id), "r"(threads) : "memory");
}
// As sync, without waiting.
__device__ inline void named_barrier_arrive(int id, int threads) {
  asm volatile("bar.arrive %0, %1;" ::"r"(id), "r"(threads) : "memory");
}

// Copies 16 bytes in the background, both sides 16-byte aligned; zeros where not valid, and then `global` is not read.
__device__ inline void cp_async16(void* shared, const void* global, bool valid = true) {
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(shared_address(shared)), "l"(global),
               "r"(valid ? 16 : 0)
               : "memory");
}
__device__ inline void cp_async_commit() {
  asm volatile("cp.async.commit_group;" ::: "memory");
}
// Waits until at most `pending` of the thread's latest groups are under way; others see the data behind a barrier.
template <int pending>
__device__ void cp_async_wait() {
  asm volatile("cp.async.wait_group %0;" ::"n"(pending) : "memory");
}

// Loads 8x8 matrices of 16-bit elements: lane i names row i % 8 of matrix i / 8, 16-byte aligned.
__device__ inline void ldmatrix_x4(unsigned (&r)[4], const void* row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];"
               : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
               : "r"(shared_address(row))
               : "memory");
}
__device__ inline void ldmatrix_x4_trans(unsigned (&r)[4], const void* row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0,%1,%2,%3}, [%4];"
               : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
               : "r"(shared_address(row))
               : "memory");
}
__device__ inline void ldmatrix_x2(unsigned (&r)[2], const void* row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x2.shared.b16 {%0,%1}, [%2];"
               : "=r"(r[0]), "=r"(r[1])
               : "r"(shared_address(row))
               : "memory");
}
__device__ inline void ldmatrix_x2_trans(unsigned (&r)[2], const void* row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x2.trans.shared.b16 {%0,%1}, [%2];"
               : "=r"(r[0]), "=r"(r[1])
               : "r"(shared_address(row))
               : "memory");
}

// d += a b: a 16x16, b 16x8, both bf16, d f32.
__device__ inline void mma_bf16(float (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}
// d += a b: a 16x8, b 8x8, both tf32, d f32.
__device__ inline void mma_tf32(float (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {
  asm volatile(
      "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

// Rounds to nearest, ties away from zero, 10 fraction bits; the low bits are zero.
__device__ inline unsigned to_tf32(float value) {
  unsigned result;
  asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(result) : "f"(value));
  return result;
}
// Two values rounded to bf16, ties to even; `low` in the low half.
__device__ inline unsigned pack_bf16(float low, float high) {
  unsigned result;
  asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(result) : "f"(high), "f"(low));
  return result;
}

}  // namespace plume::kernels::cuda
