// Memory of a stream's device, and copies between it and the host.
#pragma once

#include <cstddef>
#include <memory>

#include "kernels/stream.hpp"

namespace plume::kernels {

// Owns memory of one device; its contents are undefined at first. 64-byte aligned on the CPU, 256-byte on CUDA.
class Memory {
 public:
  Memory() = default;
  [[nodiscard]] std::byte* data() const noexcept { return data_.get(); }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  explicit operator bool() const noexcept { return data_ != nullptr; }

 private:
  friend Memory allocate(std::size_t bytes, CpuStream& stream);
  friend Memory allocate(std::size_t bytes, CudaStream& stream);
  friend Memory allocate_pinned(std::size_t bytes, CpuStream& stream);
  friend Memory allocate_pinned(std::size_t bytes, CudaStream& stream);
  using Free = void (*)(std::byte*) noexcept;
  Memory(std::byte* data, std::size_t size, Free free) : data_(data, free), size_(size) {}

  std::unique_ptr<std::byte, Free> data_{nullptr, [](std::byte*) noexcept {}};
  std::size_t size_ = 0;
};

// Empty where the device has no room.
[[nodiscard]] Memory allocate(std::size_t bytes, CpuStream& stream);
[[nodiscard]] Memory allocate(std::size_t bytes, CudaStream& stream);

// Host memory that a device copies from and to without a detour. Throws environment_error where there is no room.
[[nodiscard]] Memory allocate_pinned(std::size_t bytes, CpuStream& stream);
[[nodiscard]] Memory allocate_pinned(std::size_t bytes, CudaStream& stream);

// Queued: `from` must stay as it is until the stream has come so far, unless it is ordinary (not pinned) host memory.
void upload(void* to, const void* from, std::size_t bytes, CpuStream& stream);
void upload(void* to, const void* from, std::size_t bytes, CudaStream& stream);

// Waits: on return `to` has what the stream's earlier work left in `from`.
void download(void* to, const void* from, std::size_t bytes, CpuStream& stream);
void download(void* to, const void* from, std::size_t bytes, CudaStream& stream);

// Within the device, queued.
void copy_bytes(void* to, const void* from, std::size_t bytes, CpuStream& stream);
void copy_bytes(void* to, const void* from, std::size_t bytes, CudaStream& stream);

// Queued.
void fill_zero(void* to, std::size_t bytes, CpuStream& stream);
void fill_zero(void* to, std::size_t bytes, CudaStream& stream);

}  // namespace plume::kernels
