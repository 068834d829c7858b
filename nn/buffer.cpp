// Allocation, copies and zeroes by stream.
#include "nn/buffer.hpp"

#include <variant>

#include "kernels/base/error.hpp"

namespace plume::nn {
namespace {

template <class Body>
void on(kernels::Stream* stream, const Body& body) {
  if (stream) {
    std::visit(body, *stream);
  } else {
    kernels::CpuStream host(1);
    body(host);
  }
}

}  // namespace

Buffer::Buffer(kernels::Stream* stream, std::size_t bytes, std::string_view purpose) : stream_(stream) {
  on(stream_, [&](auto& concrete) { memory_ = kernels::allocate(bytes, concrete); });
  if (!memory_) {
    throw environment_error("out of memory: {:.1f} MiB for {}", static_cast<double>(bytes) / 1048576, purpose);
  }
  zero();
}

void Buffer::read(void* to, std::size_t offset, std::size_t bytes) const {
  on(stream_, [&](auto& concrete) { kernels::download(to, data() + offset, bytes, concrete); });
}

void Buffer::write(std::size_t offset, const void* from, std::size_t bytes) {
  on(stream_, [&](auto& concrete) { kernels::upload(data() + offset, from, bytes, concrete); });
}

void Buffer::zero() {
  on(stream_, [&](auto& concrete) { kernels::fill_zero(data(), size(), concrete); });
}

}  // namespace plume::nn
