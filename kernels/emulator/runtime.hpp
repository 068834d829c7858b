// The emulated device: one lock, its memory, its streams, and the error that stopped it.
#pragma once

#include <cuda_runtime.h>
#include <unistd.h>

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "kernels/emulator/device_memory.hpp"
#include "kernels/emulator/stream.hpp"

namespace plume::emulator {

class Runtime {
 public:
  static Runtime& get();

  std::recursive_mutex mutex;
  DeviceMemory memory;
  Streams streams;
  bool loses_captures = false;
  std::uint64_t number = static_cast<std::uint64_t>(::getpid());  // every process has a device of its own

  // A kernel failed: everything queued is dropped, and every call fails until the report is taken.
  void fail(std::string report);
  [[nodiscard]] bool failed() const { return !report_.empty(); }
  [[nodiscard]] const std::string& report() const { return report_; }
  std::string take_report() { return std::exchange(report_, {}); }

  // An error of this call alone: `detail` is what cudaGetErrorString adds.
  cudaError_t refuse(cudaError_t error, std::string detail);

 private:
  std::string report_;
};

// Remembers the error for cudaGetLastError, for the calling host thread.
cudaError_t remember(cudaError_t error);

// Every call of the interface: one at a time, and none after a failure.
template <class Body>
cudaError_t api(Body&& body) {
  Runtime& runtime = Runtime::get();
  const std::scoped_lock lock(runtime.mutex);
  if (runtime.failed()) return remember(cudaErrorLaunchFailure);
  return remember(std::forward<Body>(body)(runtime));
}

}  // namespace plume::emulator
