// The innermost loops of Winograd convolutions: transforms of one tile, and the register tile of the products between.
#pragma once

#include <array>
#include <cstddef>

namespace plume::kernels {

// One tile of an image, some adjacent channels: points = M pixels M^T, with M = B^T for inputs and M = A for gradients of
// outputs.
template <class T>
struct WinogradGather {
  const T* pixels = nullptr;
  std::ptrdiff_t row_step = 0;
  std::ptrdiff_t column_step = 0;
  T* points = nullptr;
  std::ptrdiff_t point_step = 0;
  int channels = 0;  // a multiple of the lanes
};

// 3x3 kernels between two lists of channels: points = G taps G^T.
template <class T>
struct WinogradWeights {
  const T* taps = nullptr;      // at the first input channel; output channels are adjacent
  std::ptrdiff_t tap_step = 0;  // from one of the nine to the next
  std::ptrdiff_t input_step = 0;
  T* points = nullptr;  // [input][output] each
  std::ptrdiff_t point_step = 0;
  int inputs = 0;
  int outputs = 0;  // a multiple of the lanes
};

// sums[tile][output] (+)= inputs[tile][input] * weights[input][output] at one point, for tiles x vectors of outputs.
template <class T>
struct WinogradProduct {
  const T* inputs = nullptr;  // [block][tile][block_channels]
  int blocks = 0;
  int last_width = 0;          // channels in the last block; the others have block_channels
  const T* weights = nullptr;  // [input][vectors * lanes]
  T* sums = nullptr;           // [tile][vectors * lanes]
  bool add = false;
};

// One tile of the output: pixels = A^T sums A, then bias or what the output holds, then ReLU.
template <class T>
struct WinogradOutput {
  const T* sums = nullptr;
  std::ptrdiff_t point_step = 0;
  T* pixels = nullptr;
  std::ptrdiff_t row_step = 0;
  std::ptrdiff_t column_step = 0;
  int rows = 0;  // that exist
  int columns = 0;
  int channels = 0;
  const T* bias = nullptr;
  bool add = false;
  bool relu = false;
};

// The transforms of one tile size.
template <class T>
struct WinogradTransforms {
  int outputs = 0;  // rows and columns of output of a tile
  int points = 0;   // rows and columns of input of a tile, and of points where the products are taken
  void (*input)(const WinogradGather<T>&) = nullptr;
  void (*weights)(const WinogradWeights<T>&) = nullptr;
  void (*output)(const WinogradOutput<T>&) = nullptr;
};

template <class T>
struct WinogradPrimitives {
  WinogradTransforms<T> f2;
  WinogradTransforms<T> f4;

  static constexpr int max_vectors = 2;
  static constexpr int max_tiles = 14;
  using ProductFunction = void (*)(const WinogradProduct<T>&);
  int product_tiles = 0;  // the most that a product may have
  std::array<std::array<ProductFunction, max_tiles + 1>, max_vectors + 1> product{};  // [vectors][tiles]
};

// sums[input][output] += products of inputs[tile][input] and grads[tile][output] at one point, over tiles, for
// inputs x vectors of outputs.
template <class T>
struct WinogradCorrelation {
  const T* inputs = nullptr;  // block_channels from one tile to the next
  const T* grads = nullptr;
  T* sums = nullptr;
  std::ptrdiff_t width = 0;  // elements from one tile's grads, and one input's sums, to the next
  int tiles = 0;
};

// The gradients of 3x3 kernels between one input channel and some outputs: taps (+)= G^T points G, with the points
// summed over some copies.
template <class T>
struct WinogradWeightGrad {
  const T* points = nullptr;
  std::ptrdiff_t point_step = 0;
  std::ptrdiff_t copy_step = 0;
  int copies = 0;
  T* taps = nullptr;
  std::ptrdiff_t tap_step = 0;
  std::ptrdiff_t input_step = 0;  // to the taps of the next input channel, to fetch them ahead
  int channels = 0;
  bool add = false;
};

// The transforms of one tile size that weight gradients need besides the inputs'.
template <class T>
struct WinogradBackwardTransforms {
  void (*output_grad)(const WinogradGather<T>&) = nullptr;
  void (*weight_grad)(const WinogradWeightGrad<T>&) = nullptr;
};

template <class T>
struct WinogradBackwardPrimitives {
  WinogradBackwardTransforms<T> f2;
  WinogradBackwardTransforms<T> f4;

  static constexpr int max_vectors = 2;
  static constexpr int max_inputs = 8;
  using CorrelationFunction = void (*)(const WinogradCorrelation<T>&);
  int correlation_inputs = 0;  // the most that a correlation may have; divides block_channels
  std::array<std::array<CorrelationFunction, max_inputs + 1>, max_vectors + 1> correlation{};  // [vectors][inputs]
};

}  // namespace plume::kernels
