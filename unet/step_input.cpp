// A ring of staging buffers, and the events that keep uploads and steps apart.
#include "unet/step_input.hpp"

#include <cstring>
#include <stdexcept>
#include <type_traits>
#include <variant>

#include "kernels/base/error.hpp"
#include "kernels/input.hpp"
#include "unet/inference/padding.hpp"

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

// The loader cuts out what is read, so that is a whole image here.
kernels::Placement placement(const data::Sample& sample, std::size_t image) {
  return {static_cast<int>(image),
          sample.window.row - sample.read.row,
          sample.window.column - sample.read.column,
          sample.window.height,
          sample.window.width,
          sample.transpose,
          sample.flip_rows,
          sample.flip_columns};
}

template <class T>
void copy_to(std::byte* to, const std::vector<T>& from) {
  if (!from.empty()) std::memcpy(to, from.data(), from.size() * sizeof(T));
}

}  // namespace

StepInput::StepInput(kernels::Stream& stream, const nn::Shape& crops, int multiple, const data::Batch& like,
                     DType dtype)
    : stream_(stream),
      crops_(crops),
      shape_(padded_shape(crops, multiple)),
      stored_height_(like.height),
      stored_width_(like.width),
      stored_(like.dtype),
      augmented_(!like.augmentation.images.empty()),
      cells_(like.augmentation.cells),
      dtype_(dtype),
      ring_(slots),
      images_(batch_memory(pixels(crops.n) * static_cast<std::size_t>(crops.c) * size_of(dtype), stream)),
      labels_(batch_memory(pixels(crops.n), stream)) {
  lay_out(static_cast<std::size_t>(crops.c));
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

void StepInput::lay_out(std::size_t bands) {
  const auto images = static_cast<std::size_t>(shape_.n);
  layout_.end = stored_pixels(shape_.n) * bands * size_of(stored_);
  layout_.labels = add_part(layout_.end, stored_pixels(shape_.n));
  if (augmented_) {
    layout_.augmentations = add_part(layout_.end, images * sizeof(kernels::Augmentation));
    layout_.changes = add_part(layout_.end, images * bands * sizeof(kernels::BandChange));
    layout_.nodes = add_part(layout_.end, nodes(shape_.n) * sizeof(kernels::PixelPosition));
  } else {
    layout_.placements = add_part(layout_.end, images * sizeof(kernels::Placement));
  }
  layout_.mean = add_part(layout_.end, bands * sizeof(float));
  layout_.std = add_part(layout_.end, bands * sizeof(float));
}

bool StepInput::fits(const data::Batch& batch) const {
  const data::DrawnAugmentation& drawn = batch.augmentation;
  const auto images = static_cast<std::size_t>(batch.images);
  // What a plain image is cut from; an augmented one may reach beyond what was read.
  const auto is_cut = [&](const data::Sample& sample) {
    const data::Window& window = sample.window;
    const int row = window.row - sample.read.row;
    const int column = window.column - sample.read.column;
    return window.height == crops_.h && window.width == crops_.w && row >= 0 && column >= 0 &&
           row + window.height <= stored_height_ && column + window.width <= stored_width_;
  };
  return batch.images <= shape_.n && batch.height == stored_height_ && batch.width == stored_width_ &&
         batch.bands == shape_.c && batch.dtype == stored_ && batch.samples.size() == images &&
         (augmented_ || std::all_of(batch.samples.begin(), batch.samples.end(), is_cut)) &&
         batch.pixels.size() == batch.pixel_bytes() && batch.labels.size() == batch.label_count() &&
         std::ssize(batch.mean) == shape_.c && std::ssize(batch.std) == shape_.c &&
         drawn.images.size() == (augmented_ ? images : 0) &&
         drawn.bands.size() == drawn.images.size() * static_cast<std::size_t>(shape_.c) &&
         drawn.nodes.size() == nodes(batch.images);
}

void StepInput::put(const data::Batch& batch) {
  if (waiting_ == ring_.size()) throw std::logic_error("more batches put than taken");
  if (!fits(batch)) throw std::logic_error("a batch of another shape");
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
  copy_to(to, batch.pixels);
  copy_to(to + layout_.labels, batch.labels);
  if (augmented_) {
    copy_to(to + layout_.augmentations, batch.augmentation.images);
    copy_to(to + layout_.changes, batch.augmentation.bands);
    copy_to(to + layout_.nodes, batch.augmentation.nodes);
  } else {
    auto* placements = reinterpret_cast<kernels::Placement*>(to + layout_.placements);
    for (std::size_t i = 0; i < batch.samples.size(); ++i) placements[i] = placement(batch.samples[i], i);
  }
  copy_to(to + layout_.mean, batch.mean);
  copy_to(to + layout_.std, batch.std);
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
  const kernels::Image<std::uint8_t> out(reinterpret_cast<std::uint8_t*>(labels_.data()), slot.images, shape_.h,
                                         shape_.w, 1);
  const kernels::Image<const std::uint8_t> stored(reinterpret_cast<const std::uint8_t*>(batch + layout_.labels),
                                                  slot.images, stored_height_, stored_width_, 1);
  if (augmented_) {
    kernels::augment_labels(out, stored, augmentation(batch), stream);
  } else {
    kernels::prepare_labels(out, stored, reinterpret_cast<const kernels::Placement*>(batch + layout_.placements),
                            stream);
  }
}

template <class Stream, class T, class Raw>
void StepInput::prepare_images(const Slot& slot, const std::byte* batch, Stream& stream) {
  const kernels::Image<T> out(reinterpret_cast<T*>(images_.data()), slot.images, shape_.h, shape_.w, shape_.c);
  const kernels::Image<const Raw> stored(reinterpret_cast<const Raw*>(batch), slot.images, stored_height_,
                                         stored_width_, shape_.c);
  const kernels::BandScaling scaling{reinterpret_cast<const float*>(batch + layout_.mean),
                                     reinterpret_cast<const float*>(batch + layout_.std)};
  if (augmented_) {
    kernels::augment_images(out, stored, augmentation(batch), scaling, stream);
  } else {
    kernels::prepare_images(out, stored, reinterpret_cast<const kernels::Placement*>(batch + layout_.placements),
                            scaling, stream);
  }
}

kernels::BatchAugmentation StepInput::augmentation(const std::byte* batch) const {
  kernels::BatchAugmentation result;
  result.images = reinterpret_cast<const kernels::Augmentation*>(batch + layout_.augmentations);
  result.bands = reinterpret_cast<const kernels::BandChange*>(batch + layout_.changes);
  if (cells_ > 0) {
    const auto* nodes = reinterpret_cast<const kernels::PixelPosition*>(batch + layout_.nodes);
    result.elastic = kernels::elastic_field(nodes, cells_, crops_.h, crops_.w);
  }
  return result;
}

nn::Tensor StepInput::images(int first, int count) const {
  std::byte* at = images_.data() + pixels(first) * static_cast<std::size_t>(shape_.c) * size_of(dtype_);
  return {{count, shape_.h, shape_.w, shape_.c}, dtype_, "images", at, nullptr};
}

const std::uint8_t* StepInput::labels(int first) const {
  return reinterpret_cast<const std::uint8_t*>(labels_.data()) + pixels(first);
}

std::size_t StepInput::stored_pixels(int images) const {
  return static_cast<std::size_t>(images) * static_cast<std::size_t>(stored_height_) *
         static_cast<std::size_t>(stored_width_);
}

std::size_t StepInput::nodes(int images) const {
  return cells_ == 0 ? 0 : static_cast<std::size_t>(images) * kernels::node_count(cells_);
}

std::size_t StepInput::pixels(int images) const {
  return static_cast<std::size_t>(images) * static_cast<std::size_t>(shape_.h) * static_cast<std::size_t>(shape_.w);
}

}  // namespace plume::unet
