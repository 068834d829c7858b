// A ring of staging buffers, and the events that keep uploads and steps apart.
#include "unet/step_input.hpp"

#include <cstring>
#include <stdexcept>
#include <type_traits>
#include <variant>

#include "kernels/base/error.hpp"
#include "kernels/input.hpp"

namespace plume::unet {
namespace {

constexpr std::size_t alignment = 16;

// Where the next part starts, and room for it behind `end`.
std::size_t add_part(std::size_t& end, std::size_t bytes) {
  const std::size_t start = (end + alignment - 1) / alignment * alignment;
  end = start + bytes;
  return start;
}

kernels::Memory batch_memory(std::size_t bytes, kernels::Stream& stream) {
  kernels::Memory memory = std::visit([&](auto& concrete) { return kernels::allocate(bytes, concrete); }, stream);
  if (!memory) throw environment_error("out of memory: {:.1f} MiB for a batch", static_cast<double>(bytes) / 1048576);
  return memory;
}

// The loader cuts the crop out, so it is a whole image here.
kernels::Placement placement(const data::Sample& sample, std::size_t image) {
  return {static_cast<int>(image), 0, 0, sample.transpose, sample.flip_rows, sample.flip_columns};
}

}  // namespace

StepInput::StepInput(kernels::Stream& stream, const nn::Shape& shape, DType stored, DType dtype)
    : stream_(stream),
      shape_(shape),
      stored_(stored),
      dtype_(dtype),
      ring_(slots),
      images_(batch_memory(pixels(shape.n) * static_cast<std::size_t>(shape.c) * size_of(dtype), stream)),
      labels_(batch_memory(pixels(shape.n), stream)) {
  const auto bands = static_cast<std::size_t>(shape.c);
  layout_.end = pixels(shape.n) * bands * size_of(stored);
  layout_.labels = add_part(layout_.end, pixels(shape.n));
  layout_.placements = add_part(layout_.end, static_cast<std::size_t>(shape.n) * sizeof(kernels::Placement));
  layout_.mean = add_part(layout_.end, bands * sizeof(float));
  layout_.std = add_part(layout_.end, bands * sizeof(float));

  auto* cuda = std::get_if<kernels::CudaStream>(&stream_);
  if (cuda) uploads_.emplace(kernels::stream_beside(*cuda));
  for (Slot& slot : ring_) {
    slot.host = std::visit([&](auto& concrete) { return kernels::allocate_pinned(layout_.end, concrete); }, stream_);
    if (!cuda) continue;
    slot.device = batch_memory(layout_.end, stream_);
    slot.uploaded.emplace(*cuda);
    slot.read.emplace(*cuda);
  }
}

void StepInput::put(const data::Batch& batch) {
  if (waiting_ == ring_.size()) throw std::logic_error("more batches put than taken");
  if (batch.images > shape_.n || batch.height != shape_.h || batch.width != shape_.w || batch.bands != shape_.c ||
      batch.dtype != stored_ || std::ssize(batch.samples) != batch.images ||
      batch.pixels.size() != batch.pixel_bytes() || batch.labels.size() != batch.label_count() ||
      std::ssize(batch.mean) != shape_.c || std::ssize(batch.std) != shape_.c) {
    throw std::logic_error("a batch of another shape");
  }
  Slot& slot = ring_[next_];
  next_ = (next_ + 1) % ring_.size();
  ++waiting_;
  if (uploads_) slot.uploaded->synchronize();  // of the batch before in this slot: long done
  fill(slot, batch);
  if (!uploads_) return;
  slot.read->hold(*uploads_);
  kernels::upload(slot.device.data(), slot.host.data(), batch.pixels.size(), *uploads_);
  kernels::upload(slot.device.data() + layout_.labels, slot.host.data() + layout_.labels, layout_.end - layout_.labels,
                  *uploads_);
  slot.uploaded->record(*uploads_);
}

void StepInput::fill(Slot& slot, const data::Batch& batch) const {
  std::byte* to = slot.host.data();
  std::memcpy(to, batch.pixels.data(), batch.pixels.size());
  std::memcpy(to + layout_.labels, batch.labels.data(), batch.labels.size());
  auto* placements = reinterpret_cast<kernels::Placement*>(to + layout_.placements);
  for (std::size_t i = 0; i < batch.samples.size(); ++i) placements[i] = placement(batch.samples[i], i);
  std::memcpy(to + layout_.mean, batch.mean.data(), batch.mean.size() * sizeof(float));
  std::memcpy(to + layout_.std, batch.std.data(), batch.std.size() * sizeof(float));
  slot.images = batch.images;
}

int StepInput::take() {
  if (waiting_ == 0) throw std::logic_error("no batch was put");
  Slot& slot = ring_[(next_ + ring_.size() - waiting_) % ring_.size()];
  --waiting_;
  if (auto* cuda = std::get_if<kernels::CudaStream>(&stream_)) {
    slot.uploaded->hold(*cuda);
    prepare(slot, slot.device.data(), *cuda);
    slot.read->record(*cuda);
  } else {
    prepare(slot, slot.host.data(), std::get<kernels::CpuStream>(stream_));
  }
  return slot.images;
}

template <class Stream>
void StepInput::prepare(const Slot& slot, const std::byte* batch, Stream& stream) {
  const auto prepare_from = [&]<class Raw>(Raw) {
    if constexpr (std::is_same_v<Stream, kernels::CudaStream>) {
      if (dtype_ == DType::bf16) return prepare_images<Stream, bf16, Raw>(slot, batch, stream);
    }
    prepare_images<Stream, float, Raw>(slot, batch, stream);
  };
  switch (stored_) {
    case DType::u8: prepare_from(std::uint8_t{}); break;
    case DType::u16: prepare_from(std::uint16_t{}); break;
    default: prepare_from(float{}); break;
  }
  const auto* placements = reinterpret_cast<const kernels::Placement*>(batch + layout_.placements);
  const auto* stored = reinterpret_cast<const std::uint8_t*>(batch + layout_.labels);
  kernels::prepare_labels({reinterpret_cast<std::uint8_t*>(labels_.data()), slot.images, shape_.h, shape_.w, 1},
                          {stored, slot.images, shape_.h, shape_.w, 1}, placements, stream);
}

template <class Stream, class T, class Raw>
void StepInput::prepare_images(const Slot& slot, const std::byte* batch, Stream& stream) {
  const kernels::Image<T> out(reinterpret_cast<T*>(images_.data()), slot.images, shape_.h, shape_.w, shape_.c);
  const kernels::Image<const Raw> stored(reinterpret_cast<const Raw*>(batch), slot.images, shape_.h, shape_.w,
                                         shape_.c);
  const kernels::BandScaling scaling{reinterpret_cast<const float*>(batch + layout_.mean),
                                     reinterpret_cast<const float*>(batch + layout_.std)};
  kernels::prepare_images(out, stored, reinterpret_cast<const kernels::Placement*>(batch + layout_.placements), scaling,
                          stream);
}

nn::Tensor StepInput::images(int first, int count) const {
  std::byte* at = images_.data() + pixels(first) * static_cast<std::size_t>(shape_.c) * size_of(dtype_);
  return {{count, shape_.h, shape_.w, shape_.c}, dtype_, "images", at, nullptr};
}

const std::uint8_t* StepInput::labels(int first) const {
  return reinterpret_cast<const std::uint8_t*>(labels_.data()) + pixels(first);
}

std::size_t StepInput::pixels(int images) const {
  return static_cast<std::size_t>(images) * static_cast<std::size_t>(shape_.h) * static_cast<std::size_t>(shape_.w);
}

}  // namespace plume::unet
