// Memory of a CUDA device.
#include "kernels/memory.hpp"

#include <algorithm>

#include "kernels/cuda/check.hpp"
#include "kernels/cuda/stream_state.hpp"

namespace plume::kernels {

Memory allocate(std::size_t bytes, CudaStream& stream) {
  cuda::check(cudaSetDevice(stream.state().device));
  void* data = nullptr;
  const cudaError_t status = cudaMalloc(&data, std::max<std::size_t>(bytes, 1));
  if (status == cudaErrorMemoryAllocation) {
    static_cast<void>(cudaGetLastError());
    return {};
  }
  cuda::check(status);
  return {static_cast<std::byte*>(data), bytes,
          [](std::byte* memory) noexcept { static_cast<void>(cudaFree(memory)); }};
}

Memory allocate_pinned(std::size_t bytes, CudaStream&) {
  void* data = nullptr;
  cuda::check(cudaHostAlloc(&data, std::max<std::size_t>(bytes, 1), cudaHostAllocDefault));
  return {static_cast<std::byte*>(data), bytes,
          [](std::byte* memory) noexcept { static_cast<void>(cudaFreeHost(memory)); }};
}

void upload(void* to, const void* from, std::size_t bytes, CudaStream& stream) {
  cuda::check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyHostToDevice, stream.state().stream));
}

void download(void* to, const void* from, std::size_t bytes, CudaStream& stream) {
  cuda::check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToHost, stream.state().stream));
  stream.synchronize();
}

void copy_bytes(void* to, const void* from, std::size_t bytes, CudaStream& stream) {
  cuda::check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToDevice, stream.state().stream));
}

void fill_zero(void* to, std::size_t bytes, CudaStream& stream) {
  cuda::check(cudaMemsetAsync(to, 0, bytes, stream.state().stream));
}

}  // namespace plume::kernels
