// The batches that training steps read: copied to the stream's device as they are stored, beside the step before, and
// there scaled, normalised, turned and augmented into one fixed place.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "data/loading/batch.hpp"
#include "kernels/augment.hpp"
#include "kernels/cuda/event.hpp"
#include "kernels/memory.hpp"
#include "kernels/stream.hpp"
#include "nn/tensor.hpp"

namespace plume::unet {

class StepInput {
 public:
  static constexpr std::size_t slots = 2;

  // Steps read up to crops.n images of dtype, f32 on the CPU, of height and width rounded up to `multiple`: they repeat
  // the crops' last row and column, and labels there are ignored. Batches are stored as `like` is: its size, type and
  // kind of augmentation. The stream must outlive this. Throws environment_error where the device has no room.
  StepInput(kernels::Stream& stream, const nn::Shape& crops, int multiple, const data::Batch& like, DType dtype);

  // Copies a batch; at most `slots` ahead of take(). On CUDA it goes through pinned memory on a stream of its own.
  void put(const data::Batch& batch);

  // The batch put first is the one to read from here on, on CUDA in the order of the stream's work; its number of images
  // comes back.
  int take();

  // Images [first, first + count) of the batch taken, and their labels; at the same addresses for every batch.
  [[nodiscard]] nn::Tensor images(int first, int count) const;
  [[nodiscard]] const std::uint8_t* labels(int first) const;

 private:
  // Where the parts of a batch lie in a slot, in bytes; pixels come first.
  struct Layout {
    std::size_t labels = 0;
    std::size_t placements = 0;     // where nothing is augmented, or
    std::size_t augmentations = 0;  // [images], and
    std::size_t changes = 0;        // [images, bands], and
    std::size_t nodes = 0;          // [images, nodes]
    std::size_t mean = 0;
    std::size_t std = 0;
    std::size_t end = 0;
  };
  struct Slot {
    kernels::Memory host;    // pinned on CUDA
    kernels::Memory device;  // on CUDA only
    std::optional<kernels::CudaEvent> uploaded;
    std::optional<kernels::CudaEvent> read;
    int images = 0;
  };
  void lay_out(std::size_t bands);
  [[nodiscard]] bool fits(const data::Batch& batch) const;
  void fill(Slot& slot, const data::Batch& batch) const;
  template <class Stream>
  void prepare(const Slot& slot, const std::byte* batch, Stream& stream);
  template <class Stream, class T, class Raw>
  void prepare_images(const Slot& slot, const std::byte* batch, Stream& stream);
  [[nodiscard]] kernels::BatchAugmentation augmentation(const std::byte* batch) const;
  [[nodiscard]] std::size_t pixels(int images) const;
  [[nodiscard]] std::size_t stored_pixels(int images) const;
  [[nodiscard]] std::size_t nodes(int images) const;

  kernels::Stream& stream_;
  nn::Shape crops_;
  nn::Shape shape_;  // what steps read
  int stored_height_;
  int stored_width_;
  DType stored_;
  bool augmented_;
  int cells_;  // of the elastic field, 0 for none
  DType dtype_;
  Layout layout_;
  std::vector<Slot> ring_;
  std::size_t next_ = 0;  // the slot that the next batch goes to
  std::size_t waiting_ = 0;
  kernels::Memory images_;  // what steps read
  kernels::Memory labels_;
  std::optional<kernels::CudaStream> uploads_;  // goes first: its end waits for copies
};

}  // namespace plume::unet
