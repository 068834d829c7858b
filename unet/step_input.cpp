// A ring of staging buffers, and the events that keep uploads and steps apart.
#include "unet/step_input.hpp"

#include <cstring>
#include <stdexcept>
#include <variant>

#include "kernels/base/error.hpp"
#include "kernels/convert.hpp"

namespace plume::unet {
namespace {

kernels::Memory device_memory(std::size_t bytes, kernels::CudaStream& stream) {
  kernels::Memory memory = kernels::allocate(bytes, stream);
  if (!memory) throw environment_error("out of memory: {:.1f} MiB for a batch", static_cast<double>(bytes) / 1048576);
  return memory;
}

}  // namespace

StepInput::StepInput(kernels::Stream& stream, const nn::Shape& shape, DType dtype)
    : stream_(stream), shape_(shape), dtype_(dtype), ring_(slots) {
  const std::size_t bytes = pixels(shape.n) + plane(shape.n);
  for (Slot& slot : ring_) {
    std::visit([&](auto& concrete) { slot.host = kernels::allocate_pinned(bytes, concrete); }, stream_);
  }
  if (auto* cuda = std::get_if<kernels::CudaStream>(&stream_)) prepare_cuda(*cuda);
}

void StepInput::prepare_cuda(kernels::CudaStream& stream) {
  const std::size_t bytes = pixels(shape_.n) + plane(shape_.n);
  uploads_.emplace(kernels::stream_beside(stream));
  for (Slot& slot : ring_) {
    slot.device = device_memory(bytes, stream);
    slot.uploaded.emplace(stream);
    slot.read.emplace(stream);
  }
  fixed_ = device_memory(bytes, stream);
  images_ = fixed_.data();
  labels_ = reinterpret_cast<const std::uint8_t*>(fixed_.data() + pixels(shape_.n));
}

void StepInput::put(const data::Batch& batch) {
  if (waiting_ == ring_.size()) throw std::logic_error("more batches put than taken");
  if (batch.images > shape_.n || batch.height != shape_.h || batch.width != shape_.w || batch.bands != shape_.c) {
    throw std::logic_error("a batch of another shape");
  }
  Slot& slot = ring_[next_];
  next_ = (next_ + 1) % ring_.size();
  ++waiting_;
  slot.images = batch.images;
  if (uploads_) slot.uploaded->synchronize();  // of the batch before in this slot: long done
  std::memcpy(slot.host.data(), batch.pixels.data(), pixels(batch.images));
  std::memcpy(slot.host.data() + pixels(shape_.n), batch.labels.data(), plane(batch.images));
  if (!uploads_) return;
  slot.read->hold(*uploads_);
  kernels::upload(slot.device.data(), slot.host.data(), pixels(batch.images), *uploads_);
  kernels::upload(slot.device.data() + pixels(shape_.n), slot.host.data() + pixels(shape_.n), plane(batch.images),
                  *uploads_);
  slot.uploaded->record(*uploads_);
}

int StepInput::take() {
  if (waiting_ == 0) throw std::logic_error("no batch was put");
  Slot& slot = ring_[(next_ + ring_.size() - waiting_) % ring_.size()];
  --waiting_;
  if (auto* cuda = std::get_if<kernels::CudaStream>(&stream_)) {
    fetch(slot, *cuda);
  } else {
    images_ = slot.host.data();
    labels_ = reinterpret_cast<const std::uint8_t*>(slot.host.data() + pixels(shape_.n));
  }
  return slot.images;
}

void StepInput::fetch(Slot& slot, kernels::CudaStream& stream) {
  slot.uploaded->hold(stream);
  const auto* from = reinterpret_cast<const float*>(slot.device.data());
  if (dtype_ == DType::bf16) {
    const auto count = static_cast<std::ptrdiff_t>(pixels(slot.images) / sizeof(float));
    kernels::convert(reinterpret_cast<bf16*>(images_), from, count, stream);
  } else {
    kernels::copy_bytes(images_, from, pixels(slot.images), stream);
  }
  kernels::copy_bytes(fixed_.data() + pixels(shape_.n), slot.device.data() + pixels(shape_.n), plane(slot.images),
                      stream);
  slot.read->record(stream);
}

nn::Tensor StepInput::images(int first, int count) const {
  std::byte* at = images_ ? images_ + pixels(first) / sizeof(float) * size_of(dtype_) : nullptr;
  return {{count, shape_.h, shape_.w, shape_.c}, dtype_, "images", at, nullptr};
}

const std::uint8_t* StepInput::labels(int first) const {
  return labels_ ? labels_ + plane(first) : nullptr;
}

std::size_t StepInput::pixels(int images) const {
  return plane(images) * static_cast<std::size_t>(shape_.c) * sizeof(float);
}

std::size_t StepInput::plane(int images) const {
  return static_cast<std::size_t>(images) * static_cast<std::size_t>(shape_.h) * static_cast<std::size_t>(shape_.w);
}

}  // namespace plume::unet
