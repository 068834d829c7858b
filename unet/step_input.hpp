// The batches that training steps read: copied to the stream's device beside the step before, to one fixed place.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "data/loader.hpp"
#include "kernels/cuda/event.hpp"
#include "kernels/memory.hpp"
#include "kernels/stream.hpp"
#include "nn/tensor.hpp"

namespace plume::unet {

class StepInput {
 public:
  static constexpr std::size_t slots = 2;

  // Batches of up to shape.n images; dtype: of the images on the device. The stream must outlive this.
  StepInput(kernels::Stream& stream, const nn::Shape& shape, DType dtype);

  // Copies a batch; at most `slots` ahead of take(). On CUDA it goes through pinned memory on a stream of its own.
  void put(const data::Batch& batch);

  // The batch put first is the one to read from here on; its number of images comes back. On CUDA images() and labels() are
  // the same addresses for every batch, and hold it from here on in the order of the stream's work.
  int take();

  // Images [first, first + count) of the batch taken, and their labels; null data before the first.
  [[nodiscard]] nn::Tensor images(int first, int count) const;
  [[nodiscard]] const std::uint8_t* labels(int first) const;

 private:
  struct Slot {
    kernels::Memory host;  // pixels as f32, then labels; pinned on CUDA
    kernels::Memory device;
    std::optional<kernels::CudaEvent> uploaded;
    std::optional<kernels::CudaEvent> read;
    int images = 0;
  };
  void prepare_cuda(kernels::CudaStream& stream);
  void fetch(Slot& slot, kernels::CudaStream& stream);
  [[nodiscard]] std::size_t pixels(int images) const;  // bytes as f32
  [[nodiscard]] std::size_t plane(int images) const;   // labels

  kernels::Stream& stream_;
  nn::Shape shape_;
  DType dtype_;
  std::vector<Slot> ring_;
  std::size_t next_ = 0;  // the slot that the next batch goes to
  std::size_t waiting_ = 0;
  kernels::Memory fixed_;                       // on CUDA: what steps read
  std::optional<kernels::CudaStream> uploads_;  // goes first: its end waits for copies
  std::byte* images_ = nullptr;
  const std::uint8_t* labels_ = nullptr;
};

}  // namespace plume::unet
