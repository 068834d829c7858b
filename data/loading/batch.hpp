// A batch of training images as their shard stores them, and what is still to be made of them: kernels/input.hpp scales,
// normalises and turns them where the training step runs, or kernels/augment.hpp, which changes them too.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "data/loading/augmentation.hpp"
#include "data/loading/sampling.hpp"
#include "kernels/base/dtype.hpp"

namespace plume::data {

struct Batch {
  int images = 0;  // 0 only for a rank that has no share of a last batch
  int total = 0;   // over all ranks
  int height = 0;  // of what was read: the crops, and around them what augmentation may bring in
  int width = 0;
  int bands = 0;
  DType dtype = DType::f32;          // of pixels: u8, u16 or f32
  std::vector<std::byte> pixels;     // [images, height, width, bands]: as they lie in their tiles
  std::vector<std::uint8_t> labels;  // [images, height, width], not turned either; 255 = ignored
  std::vector<Sample> samples;       // [images]: where each is from and how it is to be turned
  DrawnAugmentation augmentation;
  std::vector<float> mean;  // [bands]: the network is to read (raw - mean[band]) / std[band]
  std::vector<float> std;
  std::int64_t epoch = 0;
  std::int64_t index = 0;  // of the global batch within its epoch

  [[nodiscard]] std::size_t label_count() const {
    return static_cast<std::size_t>(images) * static_cast<std::size_t>(height) * static_cast<std::size_t>(width);
  }
  [[nodiscard]] std::size_t pixel_bytes() const {
    return label_count() * static_cast<std::size_t>(bands) * size_of(dtype);
  }
};

}  // namespace plume::data
