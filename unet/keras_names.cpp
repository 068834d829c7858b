// One permutation, both ways.
#include "unet/keras_names.hpp"

namespace plume::unet {
namespace {

// body(place in PyTorch's, place in Keras's) for every value.
template <class Body>
void for_each_value(const std::vector<std::int64_t>& shape, const Body& body) {
  const auto rows = static_cast<std::size_t>(shape[0]);
  const auto columns = static_cast<std::size_t>(shape[1]);
  const auto taps = static_cast<std::size_t>(shape[2] * shape[3]);
  for (std::size_t tap = 0; tap < taps; ++tap) {
    for (std::size_t column = 0; column < columns; ++column) {
      for (std::size_t row = 0; row < rows; ++row) {
        body((row * columns + column) * taps + tap, (tap * columns + column) * rows + row);
      }
    }
  }
}

}  // namespace

std::vector<float> from_keras_kernel(const std::vector<float>& keras, const std::vector<std::int64_t>& shape) {
  std::vector<float> values(keras.size());
  for_each_value(shape, [&](std::size_t torch, std::size_t place) { values[torch] = keras[place]; });
  return values;
}

std::vector<float> to_keras_kernel(const std::vector<float>& torch, const std::vector<std::int64_t>& shape) {
  std::vector<float> values(torch.size());
  for_each_value(shape, [&](std::size_t place, std::size_t keras) { values[keras] = torch[place]; });
  return values;
}

}  // namespace plume::unet
