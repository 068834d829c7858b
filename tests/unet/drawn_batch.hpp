// Batches of normal pixels that are half smoke, for training steps that need no tiles.
#pragma once

#include <cstring>

#include "data/batch.hpp"
#include "kernels/base/philox.hpp"

namespace plume::tests {

// Of f32 values to be read as they are. Every pixel is labelled; another draw for another seed.
inline data::Batch drawn_batch(int images, int edge, int bands, std::uint64_t seed) {
  data::Batch batch;
  batch.images = images;
  batch.height = edge;
  batch.width = edge;
  batch.bands = bands;
  batch.samples.resize(static_cast<std::size_t>(images));
  batch.mean.assign(static_cast<std::size_t>(bands), 0.0F);
  batch.std.assign(static_cast<std::size_t>(bands), 1.0F);
  Philox draw(seed, 0);
  std::vector<float> pixels(batch.label_count() * static_cast<std::size_t>(bands));
  for (float& pixel : pixels) pixel = draw.normal();
  batch.pixels.resize(batch.pixel_bytes());
  std::memcpy(batch.pixels.data(), pixels.data(), batch.pixels.size());
  batch.labels.resize(batch.label_count());
  for (std::uint8_t& label : batch.labels) label = static_cast<std::uint8_t>(draw.below(2));
  return batch;
}

inline const float* values_of(const data::Batch& batch) {
  return reinterpret_cast<const float*>(batch.pixels.data());
}

}  // namespace plume::tests
