// Batches of noise, for measurements and tests of training steps that need no tiles.
#pragma once

#include <algorithm>
#include <cstring>
#include <vector>

#include "data/loading/batch.hpp"
#include "kernels/base/philox.hpp"

namespace plume::data {

// Of normal f32 values to be read as they are, every second pixel smoke; another draw for another seed. Not zeros: on
// those a device draws less power and so runs faster.
inline Batch random_batch(int images, int edge, int bands, std::uint64_t seed) {
  Batch batch;
  batch.images = images;
  batch.total = images;
  batch.height = edge;
  batch.width = edge;
  batch.bands = bands;
  Sample whole;
  whole.window = whole.read = {0, 0, edge, edge};
  batch.samples.assign(static_cast<std::size_t>(images), whole);
  batch.mean.assign(static_cast<std::size_t>(bands), 0.0F);
  batch.std.assign(static_cast<std::size_t>(bands), 1.0F);
  Philox draw(seed, 0);
  std::vector<float> pixels(batch.label_count() * static_cast<std::size_t>(bands));
  std::generate(pixels.begin(), pixels.end(), [&] { return draw.normal(); });
  batch.pixels.resize(batch.pixel_bytes());
  std::memcpy(batch.pixels.data(), pixels.data(), batch.pixels.size());
  batch.labels.resize(batch.label_count());
  std::generate(batch.labels.begin(), batch.labels.end(), [&] { return static_cast<std::uint8_t>(draw.below(2)); });
  return batch;
}

// The values of such a batch.
inline const float* values_of(const Batch& batch) {
  return reinterpret_cast<const float*>(batch.pixels.data());
}

}  // namespace plume::data
