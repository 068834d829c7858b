// The device's state, and its errors and properties.
#include "kernels/emulator/runtime.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cstdio>
#include <cstring>

#include "kernels/emulator/shared_arena.hpp"
#include "kernels/emulator/testing.hpp"

namespace plume::emulator {
namespace {

thread_local cudaError_t last_error = cudaSuccess;
thread_local std::string last_detail;

constexpr int multiprocessors = 4;  // few, so that grids sized by them wrap round small tensors

struct Name {
  cudaError_t error;
  const char* name;
  const char* text;
};

constexpr Name names[] = {
    {cudaSuccess, "cudaSuccess", "no error"},
    {cudaErrorInvalidValue, "cudaErrorInvalidValue", "invalid argument"},
    {cudaErrorMemoryAllocation, "cudaErrorMemoryAllocation", "out of memory"},
    {cudaErrorInvalidConfiguration, "cudaErrorInvalidConfiguration", "invalid configuration argument"},
    {cudaErrorInvalidMemcpyDirection, "cudaErrorInvalidMemcpyDirection", "invalid copy direction for memcpy"},
    {cudaErrorInsufficientDriver, "cudaErrorInsufficientDriver", "the driver is older than the runtime"},
    {cudaErrorInvalidDeviceFunction, "cudaErrorInvalidDeviceFunction", "invalid device function"},
    {cudaErrorNoDevice, "cudaErrorNoDevice", "no CUDA-capable device is detected"},
    {cudaErrorInvalidDevice, "cudaErrorInvalidDevice", "invalid device ordinal"},
    {cudaErrorInvalidResourceHandle, "cudaErrorInvalidResourceHandle", "invalid resource handle"},
    {cudaErrorNotReady, "cudaErrorNotReady", "device not ready"},
    {cudaErrorLaunchFailure, "cudaErrorLaunchFailure", "unspecified launch failure"},
    {cudaErrorStreamCaptureUnsupported, "cudaErrorStreamCaptureUnsupported",
     "operation not permitted when stream is capturing"},
    {cudaErrorStreamCaptureInvalidated, "cudaErrorStreamCaptureInvalidated",
     "operation failed due to a previous error during capture"},
    {cudaErrorStreamCaptureUnmatched, "cudaErrorStreamCaptureUnmatched",
     "the capture was not initiated in this stream"},
    {cudaErrorStreamCaptureUnjoined, "cudaErrorStreamCaptureUnjoined",
     "the capture contains a fork that was not joined to the primary stream"},
    {cudaErrorStreamCaptureIsolation, "cudaErrorStreamCaptureIsolation",
     "dependency created on uncaptured work in another stream"},
    {cudaErrorStreamCaptureImplicit, "cudaErrorStreamCaptureImplicit",
     "operation would make the legacy stream depend on a capturing blocking stream"},
    {cudaErrorCapturedEvent, "cudaErrorCapturedEvent",
     "operation not permitted on an event last recorded in a capturing stream"},
    {cudaErrorStreamCaptureWrongThread, "cudaErrorStreamCaptureWrongThread",
     "attempt to terminate a thread-local capture sequence from another thread"},
};

const Name& name_of(cudaError_t error) {
  static constexpr Name unknown{cudaErrorInvalidValue, "cudaErrorUnknown", "unknown error"};
  const auto* found =
      std::find_if(std::begin(names), std::end(names), [&](const Name& name) { return name.error == error; });
  return found == std::end(names) ? unknown : *found;
}

}  // namespace

Runtime& Runtime::get() {
  static Runtime runtime;
  return runtime;
}

void Runtime::fail(std::string report) {
  if (!failed()) report_ = std::move(report);
  streams.drop_all();
}

cudaError_t Runtime::refuse(cudaError_t error, std::string detail) {
  last_detail = std::move(detail);
  return error;
}

std::string take_report() {
  Runtime& runtime = Runtime::get();
  const std::scoped_lock lock(runtime.mutex);
  if (!runtime.failed()) runtime.streams.finish_all();
  return runtime.take_report();
}

cudaError_t remember(cudaError_t error) {
  if (error != cudaSuccess && error != cudaErrorNotReady) last_error = error;
  return error;
}

}  // namespace plume::emulator

using plume::emulator::api;
using plume::emulator::Runtime;

const char* cudaGetErrorName(cudaError_t error) {
  return plume::emulator::name_of(error).name;
}

const char* cudaGetErrorString(cudaError_t error) {
  static thread_local std::string text;
  text = plume::emulator::name_of(error).text;
  const std::string& report = Runtime::get().report();
  if (error == cudaErrorLaunchFailure && !report.empty()) {
    text = report;
  } else if (error != cudaSuccess && !plume::emulator::last_detail.empty()) {
    text += ": " + plume::emulator::last_detail;
  }
  return text.c_str();
}

cudaError_t cudaGetLastError() {
  return std::exchange(plume::emulator::last_error, cudaSuccess);
}
cudaError_t cudaPeekAtLastError() {
  return plume::emulator::last_error;
}

cudaError_t cudaGetDeviceCount(int* count) {
  *count = 1;
  return cudaSuccess;
}

cudaError_t cudaGetDevice(int* device) {
  *device = 0;
  return cudaSuccess;
}

cudaError_t cudaSetDevice(int device) {
  return plume::emulator::remember(device == 0 ? cudaSuccess : cudaErrorInvalidDevice);
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int device) {
  if (device != 0) return plume::emulator::remember(cudaErrorInvalidDevice);
  *properties = {};
  std::strcpy(properties->name, "emulated sm_90");
  const std::uint64_t number = plume::emulator::Runtime::get().number;
  std::memcpy(properties->uuid.bytes, &number, sizeof number);
  properties->totalGlobalMem = plume::emulator::DeviceMemory::capacity;
  properties->sharedMemPerBlock = plume::emulator::static_shared_limit;
  properties->sharedMemPerBlockOptin = plume::emulator::shared_limit;
  properties->sharedMemPerMultiprocessor = plume::emulator::shared_limit + 1024;
  properties->reservedSharedMemPerBlock = 1024;
  properties->regsPerBlock = 65536;
  properties->warpSize = 32;
  properties->maxThreadsPerBlock = 1024;
  properties->maxThreadsPerMultiProcessor = 2048;
  properties->maxThreadsDim[0] = properties->maxThreadsDim[1] = 1024;
  properties->maxThreadsDim[2] = 64;
  properties->maxGridSize[0] = 2147483647;
  properties->maxGridSize[1] = properties->maxGridSize[2] = 65535;
  properties->major = 9;
  properties->minor = 0;
  properties->multiProcessorCount = plume::emulator::multiprocessors;
  properties->l2CacheSize = 50 * 1024 * 1024;
  properties->asyncEngineCount = 2;
  properties->concurrentKernels = 1;
  return cudaSuccess;
}

cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int device) {
  cudaDeviceProp properties{};
  if (const cudaError_t error = cudaGetDeviceProperties(&properties, device); error != cudaSuccess) return error;
  switch (attribute) {
    case cudaDevAttrMaxThreadsPerBlock: *value = properties.maxThreadsPerBlock; break;
    case cudaDevAttrMaxSharedMemoryPerBlock: *value = static_cast<int>(properties.sharedMemPerBlock); break;
    case cudaDevAttrWarpSize: *value = properties.warpSize; break;
    case cudaDevAttrMultiProcessorCount: *value = properties.multiProcessorCount; break;
    case cudaDevAttrL2CacheSize: *value = properties.l2CacheSize; break;
    case cudaDevAttrMaxThreadsPerMultiProcessor: *value = properties.maxThreadsPerMultiProcessor; break;
    case cudaDevAttrComputeCapabilityMajor: *value = properties.major; break;
    case cudaDevAttrComputeCapabilityMinor: *value = properties.minor; break;
    case cudaDevAttrMaxSharedMemoryPerMultiprocessor:
      *value = static_cast<int>(properties.sharedMemPerMultiprocessor);
      break;
    case cudaDevAttrMaxSharedMemoryPerBlockOptin: *value = static_cast<int>(properties.sharedMemPerBlockOptin); break;
    default: return plume::emulator::remember(cudaErrorInvalidValue);
  }
  return cudaSuccess;
}

cudaError_t cudaDeviceSynchronize() {
  return api([](Runtime& runtime) {
    if (!runtime.streams.unsafe_call_allowed()) return cudaErrorStreamCaptureUnsupported;
    runtime.streams.finish_all();
    return runtime.failed() ? cudaErrorLaunchFailure : cudaSuccess;
  });
}

cudaError_t cudaDeviceReset() {
  Runtime& runtime = Runtime::get();
  const std::scoped_lock lock(runtime.mutex);
  runtime.streams.drop_all();
  runtime.memory.release_all();
  static_cast<void>(runtime.take_report());
  return cudaSuccess;
}

cudaError_t cudaDriverGetVersion(int* version) {
  *version = CUDART_VERSION;
  return cudaSuccess;
}

cudaError_t cudaRuntimeGetVersion(int* version) {
  *version = CUDART_VERSION;
  return cudaSuccess;
}
