// What a CudaStream holds: the runtime's stream, scratch memory, and what kernels ask about the device.
#pragma once

#include <cuda_runtime.h>

#include <array>
#include <cstddef>
#include <vector>

#include "kernels/cuda/stream_libraries.hpp"
#include "kernels/stream.hpp"

namespace plume::kernels {

namespace cuda {

// A grow-only block of device memory; its contents do not survive a call of another operation. Outgrown blocks live as
// long as the stream, because recorded steps still name them.
class DeviceScratch {
 public:
  DeviceScratch() = default;
  DeviceScratch(const DeviceScratch&) = delete;
  DeviceScratch& operator=(const DeviceScratch&) = delete;
  ~DeviceScratch();

  // At least `count` elements of T, uninitialised, 256-byte aligned. Throws environment_error where there is no room.
  template <class T>
  [[nodiscard]] T* take(std::size_t count) {
    return static_cast<T*>(reserve(count * sizeof(T)));
  }

 private:
  void* reserve(std::size_t bytes);

  std::vector<void*> blocks_;
  std::size_t capacity_ = 0;
};

}  // namespace cuda

struct CudaStream::State {
  State(int device_, MathMode math_, StreamPriority priority);
  ~State();
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  enum Purpose : std::size_t { weights, partials, statistics, workspace, purposes };
  [[nodiscard]] cuda::DeviceScratch& scratch(Purpose purpose) { return scratch_[purpose]; }

  int device = 0;
  MathMode math = MathMode::f32;
  int multiprocessors = 0;
  int architecture = 0;  // compute capability, 80 for 8.0
  cudaStream_t stream = nullptr;

  cuda::StreamLibraries libraries;

 private:
  std::array<cuda::DeviceScratch, purposes> scratch_;
};

}  // namespace plume::kernels
