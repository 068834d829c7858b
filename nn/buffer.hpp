// Memory of a stream's device that lives as long as a network: parameters, gradients, an optimiser's state.
#pragma once

#include <cstddef>
#include <string_view>

#include "kernels/memory.hpp"
#include "kernels/stream.hpp"

namespace plume::nn {

// Moves keep the address. The stream must outlive the buffer; none (null) means the host's memory.
class Buffer {
 public:
  Buffer() = default;
  // Zeroed. Throws environment_error, naming what it is for, where there is no room.
  Buffer(kernels::Stream* stream, std::size_t bytes, std::string_view purpose);

  [[nodiscard]] std::byte* data() const noexcept { return memory_.data(); }
  [[nodiscard]] std::size_t size() const noexcept { return memory_.size(); }

  // Between the host and [offset, offset + bytes): in the order of the stream's work; read waits for it.
  void read(void* to, std::size_t offset, std::size_t bytes) const;
  void write(std::size_t offset, const void* from, std::size_t bytes);
  void zero();

 private:
  kernels::Stream* stream_ = nullptr;
  kernels::Memory memory_;
};

}  // namespace plume::nn
