// The interface's memory functions.
#include <fmt/core.h>

#include <cstring>
#include <memory>
#include <vector>

#include "kernels/emulator/runtime.hpp"

namespace plume::emulator {
namespace {

bool is_device(Place place) {
  return place == Place::device;
}

// Whether the two ends are where `kind` says; pinned memory counts as the host's.
cudaError_t check_ends(Runtime& runtime, const void* to, std::size_t to_bytes, const void* from, std::size_t from_bytes,
                       cudaMemcpyKind kind) {
  const Place target = runtime.memory.place(to, to_bytes);
  const Place source = runtime.memory.place(from, from_bytes);
  if (target == Place::lost || source == Place::lost) {
    return runtime.refuse(cudaErrorInvalidValue,
                          fmt::format("the copy's {} leaves its device allocation, or that was freed",
                                      target == Place::lost ? "destination" : "source"));
  }
  const bool to_device = kind == cudaMemcpyHostToDevice || kind == cudaMemcpyDeviceToDevice;
  const bool from_device = kind == cudaMemcpyDeviceToHost || kind == cudaMemcpyDeviceToDevice;
  if (kind != cudaMemcpyDefault && (is_device(target) != to_device || is_device(source) != from_device)) {
    return runtime.refuse(cudaErrorInvalidValue,
                          fmt::format("copy kind {}, from {} to {} memory", static_cast<int>(kind),
                                      is_device(source) ? "device" : "host", is_device(target) ? "device" : "host"));
  }
  return cudaSuccess;
}

struct Copy {
  std::byte* to;
  std::size_t to_pitch;
  const std::byte* from;
  std::size_t from_pitch;
  std::size_t width;
  std::size_t height;

  void run() const {
    for (std::size_t row = 0; row < height; ++row) std::memmove(to + row * to_pitch, from + row * from_pitch, width);
  }
};

// Pinned and device memory are touched when the copy runs; pageable sources now, pageable destinations before return.
cudaError_t copy_async(Runtime& runtime, Copy copy, cudaMemcpyKind kind, cudaStream_t handle) {
  CUstream_st* stream = runtime.streams.find(handle);
  if (stream == nullptr) return cudaErrorInvalidResourceHandle;
  if (copy.width == 0 || copy.height == 0) return cudaSuccess;
  const std::size_t to_bytes = (copy.height - 1) * copy.to_pitch + copy.width;
  const std::size_t from_bytes = (copy.height - 1) * copy.from_pitch + copy.width;
  if (const cudaError_t error = check_ends(runtime, copy.to, to_bytes, copy.from, from_bytes, kind);
      error != cudaSuccess) {
    return error;
  }
  const bool pageable_source = runtime.memory.place(copy.from) == Place::host;
  const bool pageable_target = runtime.memory.place(copy.to) == Place::host;
  if (stream->capture != nullptr && (pageable_source || pageable_target)) {
    stream->capture->invalidated = true;
    return runtime.refuse(cudaErrorStreamCaptureUnsupported, "a copy of pageable host memory");
  }
  if (pageable_source) {
    auto staged = std::make_shared<std::vector<std::byte>>(copy.from, copy.from + from_bytes);
    copy.from = staged->data();
    if (const cudaError_t error = runtime.streams.enqueue(stream, {[copy, staged] { copy.run(); }, {}, {}, {}});
        error != cudaSuccess) {
      return error;
    }
  } else if (const cudaError_t error = runtime.streams.enqueue(stream, {[copy] { copy.run(); }, {}, {}, {}});
             error != cudaSuccess) {
    return error;
  }
  if (pageable_target) runtime.streams.finish(stream);
  return runtime.failed() ? cudaErrorLaunchFailure : cudaSuccess;
}

cudaError_t set_async(Runtime& runtime, void* pointer, int value, std::size_t bytes, cudaStream_t handle) {
  CUstream_st* stream = runtime.streams.find(handle);
  if (stream == nullptr) return cudaErrorInvalidResourceHandle;
  if (bytes == 0) return cudaSuccess;
  if (runtime.memory.place(pointer, bytes) != Place::device) {
    return runtime.refuse(cudaErrorInvalidValue, "cudaMemset outside of a device allocation");
  }
  return runtime.streams.enqueue(stream, {[=] { std::memset(pointer, value, bytes); }, {}, {}, {}});
}

// Frees even after a failure, so that nothing leaks.
template <class Body>
cudaError_t release(Body&& body) {
  Runtime& runtime = Runtime::get();
  const std::scoped_lock lock(runtime.mutex);
  if (!runtime.streams.unsafe_call_allowed()) return remember(cudaErrorStreamCaptureUnsupported);
  runtime.streams.finish_all();
  if (!body(runtime)) return remember(cudaErrorInvalidValue);
  return runtime.failed() ? remember(cudaErrorLaunchFailure) : cudaSuccess;
}

}  // namespace
}  // namespace plume::emulator

using plume::emulator::api;
using plume::emulator::Place;
using plume::emulator::Runtime;

cudaError_t cudaMalloc(void** pointer, std::size_t bytes) {
  return api([&](Runtime& runtime) {
    *pointer = nullptr;
    if (!runtime.streams.unsafe_call_allowed()) return cudaErrorStreamCaptureUnsupported;
    if (bytes == 0) return cudaSuccess;
    *pointer = runtime.memory.allocate(bytes);
    return *pointer == nullptr ? cudaErrorMemoryAllocation : cudaSuccess;
  });
}

cudaError_t cudaFree(void* pointer) {
  if (pointer == nullptr) return cudaSuccess;
  std::string damage;
  const cudaError_t error = plume::emulator::release([&](Runtime& runtime) {
    if (damage = runtime.memory.take_damage(); !damage.empty() && !runtime.failed()) runtime.fail(damage);
    return runtime.memory.release(pointer);
  });
  return error;
}

cudaError_t cudaHostAlloc(void** pointer, std::size_t bytes, unsigned) {
  return api([&](Runtime& runtime) {
    *pointer = nullptr;
    if (!runtime.streams.unsafe_call_allowed()) return cudaErrorStreamCaptureUnsupported;
    *pointer = runtime.memory.allocate_pinned(bytes);
    return *pointer == nullptr ? cudaErrorMemoryAllocation : cudaSuccess;
  });
}

cudaError_t cudaMallocHost(void** pointer, std::size_t bytes, unsigned flags) {
  return cudaHostAlloc(pointer, bytes, flags);
}

cudaError_t cudaFreeHost(void* pointer) {
  if (pointer == nullptr) return cudaSuccess;
  return plume::emulator::release([&](Runtime& runtime) { return runtime.memory.release_pinned(pointer); });
}

cudaError_t cudaHostRegister(void* pointer, std::size_t bytes, unsigned) {
  return api([&](Runtime& runtime) {
    if (!runtime.streams.unsafe_call_allowed()) return cudaErrorStreamCaptureUnsupported;
    return runtime.memory.pin(pointer, bytes) ? cudaSuccess : cudaErrorInvalidValue;
  });
}

cudaError_t cudaHostUnregister(void* pointer) {
  return plume::emulator::release([&](Runtime& runtime) { return runtime.memory.unpin(pointer); });
}

cudaError_t cudaMemGetInfo(std::size_t* free, std::size_t* total) {
  return api([&](Runtime& runtime) {
    *total = plume::emulator::DeviceMemory::capacity;
    *free = *total - runtime.memory.used();
    return cudaSuccess;
  });
}

cudaError_t cudaPointerGetAttributes(cudaPointerAttributes* attributes, const void* pointer) {
  return api([&](Runtime& runtime) {
    void* address = const_cast<void*>(pointer);
    switch (runtime.memory.place(pointer)) {
      case Place::device: *attributes = {cudaMemoryTypeDevice, 0, address, nullptr}; break;
      case Place::pinned: *attributes = {cudaMemoryTypeHost, 0, address, address}; break;
      default: *attributes = {cudaMemoryTypeUnregistered, -1, nullptr, address}; break;
    }
    return cudaSuccess;
  });
}

cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind, cudaStream_t stream) {
  return cudaMemcpy2DAsync(to, bytes, from, bytes, bytes, 1, kind, stream);
}

cudaError_t cudaMemcpy2DAsync(void* to, std::size_t to_pitch, const void* from, std::size_t from_pitch,
                              std::size_t width, std::size_t height, cudaMemcpyKind kind, cudaStream_t stream) {
  return api([&](Runtime& runtime) {
    const plume::emulator::Copy copy{
        static_cast<std::byte*>(to), to_pitch, static_cast<const std::byte*>(from), from_pitch, width, height};
    return plume::emulator::copy_async(runtime, copy, kind, stream);
  });
}

cudaError_t cudaMemcpy(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind) {
  return api([&](Runtime& runtime) {
    if (!runtime.streams.unsafe_call_allowed()) return cudaErrorStreamCaptureUnsupported;
    const plume::emulator::Copy copy{
        static_cast<std::byte*>(to), bytes, static_cast<const std::byte*>(from), bytes, bytes, 1};
    return plume::emulator::copy_async(runtime, copy, kind, nullptr);
  });
}

cudaError_t cudaMemset(void* pointer, int value, std::size_t bytes) {
  return api([&](Runtime& runtime) {
    if (!runtime.streams.unsafe_call_allowed()) return cudaErrorStreamCaptureUnsupported;
    return plume::emulator::set_async(runtime, pointer, value, bytes, nullptr);
  });
}

cudaError_t cudaMemsetAsync(void* pointer, int value, std::size_t bytes, cudaStream_t stream) {
  return api([&](Runtime& runtime) { return plume::emulator::set_async(runtime, pointer, value, bytes, stream); });
}
