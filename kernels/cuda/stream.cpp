// Streams of a CUDA device and their scratch memory.
#include "kernels/stream.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <string>

#include "kernels/base/error.hpp"
#include "kernels/cuda/check.hpp"
#include "kernels/cuda/info.hpp"
#include "kernels/cuda/native_stream.hpp"
#include "kernels/cuda/stream_state.hpp"

namespace plume::kernels {

namespace cuda {

DeviceScratch::~DeviceScratch() {
  for (void* block : blocks_) static_cast<void>(cudaFree(block));
}

void* DeviceScratch::reserve(std::size_t bytes) {
  if (bytes > capacity_ || blocks_.empty()) {
    const std::size_t grown = std::max({bytes, capacity_ * 2, std::size_t{256}});
    void* block = nullptr;
    check(cudaMalloc(&block, grown));
    blocks_.push_back(block);
    capacity_ = grown;
  }
  return blocks_.back();
}

StreamLibraries& libraries_of(CudaStream& stream) {
  return stream.state().libraries;
}

}  // namespace cuda

CudaStream::State::State(int device_, MathMode math_, StreamPriority priority) : device(device_), math(math_) {
  if (const int devices = cuda_device_count(); device < 0 || device >= devices) {
    const std::string why = devices > 0 ? fmt::format("there are {}", devices) : cuda_info().obstacle;
    throw environment_error("there is no CUDA device {}: {}; or use the CPU", device, why);
  }
  cuda::check(cudaSetDevice(device));
  cudaDeviceProp properties{};
  cuda::check(cudaGetDeviceProperties(&properties, device));
  multiprocessors = properties.multiProcessorCount;
  architecture = 10 * properties.major + properties.minor;
  int least = 0;
  int greatest = 0;
  cuda::check(cudaDeviceGetStreamPriorityRange(&least, &greatest));
  cuda::check(cudaStreamCreateWithPriority(&stream, cudaStreamNonBlocking,
                                           priority == StreamPriority::high ? greatest : least));
}

CudaStream::State::~State() {
  static_cast<void>(cudaStreamSynchronize(stream));
  libraries = {};  // they name the stream
  static_cast<void>(cudaStreamDestroy(stream));
}

CudaStream::CudaStream(int device, MathMode math, StreamPriority priority)
    : state_(std::make_unique<State>(device, math, priority)) {}
CudaStream::CudaStream(CudaStream&&) noexcept = default;
CudaStream& CudaStream::operator=(CudaStream&&) noexcept = default;
CudaStream::~CudaStream() = default;

void CudaStream::synchronize() {
  cuda::check(cudaStreamSynchronize(state_->stream));
}

bool CudaStream::idle() {
  const cudaError_t status = cudaStreamQuery(state_->stream);
  if (status == cudaErrorNotReady) {
    static_cast<void>(cudaGetLastError());
    return false;
  }
  cuda::check(status);
  return true;
}

int CudaStream::device() const noexcept {
  return state_->device;
}

void* native_stream(CudaStream& stream) {
  return stream.state().stream;
}

int cuda_device_count() noexcept {
  int count = 0;
  if (cudaGetDeviceCount(&count) != cudaSuccess) {
    static_cast<void>(cudaGetLastError());
    return 0;
  }
  return count;
}

}  // namespace plume::kernels
