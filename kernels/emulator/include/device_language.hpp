// The language that kernels are written in, for g++: CUDA's own names and plume's few, on emulated threads.
//
// kernels/cuda/nvcc/device_language.hpp is the same for nvcc; the include path chooses.
#pragma once

#include <cuda_runtime.h>

#include <cstddef>
#include <source_location>

#include "emulator/async_copy.hpp"
#include "emulator/coverage.hpp"
#include "emulator/launch.hpp"
#include "emulator/math.hpp"
#include "emulator/memory_access.hpp"
#include "emulator/shared_memory.hpp"
#include "emulator/tensor_core.hpp"
#include "emulator/thread.hpp"
#include "kernels/cuda/check.hpp"
#include "kernels/cuda/stream_state.hpp"

namespace plume::kernels::cuda {

using Site = std::source_location;

struct LaunchShape {
  dim3 grid;
  dim3 block;
  std::size_t dynamic_shared = 0;  // bytes
};

// Queues kernel(arguments...) on the stream; asks for more than 48 KB of dynamic shared memory where needed.
template <auto kernel, class... Arguments>
void launch(const LaunchShape& shape, CudaStream& stream, Arguments... arguments) {
  if (shape.dynamic_shared > 48 * 1024) {
    check(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize,
                               static_cast<int>(shape.dynamic_shared)));
  }
  check(emulator::launch<kernel>(shape.grid, shape.block, shape.dynamic_shared, stream.state().stream, arguments...));
}

// A mask: whether there is anything to read, write or add.
[[nodiscard]] inline bool in_bounds(bool inside, Site site = Site::current()) {
  return inside || emulator::mask_left_out(site);
}

// The launch's dynamic shared memory, 16-byte aligned.
template <class T>
T* dynamic_shared(Site site = Site::current()) {
  return static_cast<T*>(emulator::dynamic_shared_memory(alignof(T), site));
}

// bar.sync and bar.arrive on barrier 1 to 15 for `threads` threads, those that only arrive included.
inline void named_barrier_sync(int id, int threads, Site site = Site::current()) {
  emulator::named_barrier(id, threads, true, site);
}
inline void named_barrier_arrive(int id, int threads, Site site = Site::current()) {
  emulator::named_barrier(id, threads, false, site);
}

// Copies 16 bytes, or writes zeros where !valid; lands at the calling thread's wait.
inline void cp_async16(void* shared, const void* global, bool valid = true, Site site = Site::current()) {
  emulator::async_copy16(shared, global, valid, site);
}
inline void cp_async_commit() {
  emulator::async_commit();
}
// All but the last `pending` groups have landed.
template <int pending>
void cp_async_wait(Site site = Site::current()) {
  emulator::async_wait(pending, site);
}

// Lane l gives row l % 8 of matrix l / 8 (8 x 8 of 16 bits); register i receives matrix i's elements 2l, 2l + 1.
inline void ldmatrix_x2(unsigned (&r)[2], const void* shared_row, Site site = Site::current()) {
  emulator::load_matrices(r, 2, shared_row, false, site);
}
inline void ldmatrix_x4(unsigned (&r)[4], const void* shared_row, Site site = Site::current()) {
  emulator::load_matrices(r, 4, shared_row, false, site);
}
inline void ldmatrix_x2_trans(unsigned (&r)[2], const void* shared_row, Site site = Site::current()) {
  emulator::load_matrices(r, 2, shared_row, true, site);
}
inline void ldmatrix_x4_trans(unsigned (&r)[4], const void* shared_row, Site site = Site::current()) {
  emulator::load_matrices(r, 4, shared_row, true, site);
}

// d += a b; mma.sync.m16n8k16 row.col f32.bf16.bf16.f32 and m16n8k8 row.col f32.tf32.tf32.f32.
inline void mma_bf16(float (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2], Site site = Site::current()) {
  emulator::multiply_bf16(d, a, b, site);
}
inline void mma_tf32(float (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2], Site site = Site::current()) {
  emulator::multiply_tf32(d, a, b, site);
}

[[nodiscard]] inline unsigned to_tf32(float value) {
  return emulator::round_to_tf32(value);
}
[[nodiscard]] inline unsigned pack_bf16(float low, float high) {
  return emulator::pack_to_bf16(low, high);
}

}  // namespace plume::kernels::cuda
