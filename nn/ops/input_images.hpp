// What both directions of a normalisation walk over.
#pragma once

#include <cstdint>

#include "kernels/image.hpp"
#include "nn/tensor.hpp"

namespace plume::nn {

// Runs body(tensor's image, first channel) for each of the concatenated inputs.
template <class T, class Body>
void for_inputs(const Inputs& x, const Body& body) {
  int first = 0;
  for (const Tensor& tensor : x) {
    body(tensor.image<T>(), first);
    first += tensor.shape().c;
  }
}

// What max-pooling chose, as kernels take it.
inline std::uint8_t* index_bytes(const Block& block) {
  return reinterpret_cast<std::uint8_t*>(block.data());
}

}  // namespace plume::nn
