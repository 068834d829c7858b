// Copies between layouts, element by element.
#include "kernels/cuda/layout.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "../kernels/reference.hpp"
#include "device_array.hpp"

namespace plume::tests {
namespace {

using kernels::cuda::TapMatrices;

template <class T>
class CudaLayout : public OnCuda {};
TYPED_TEST_SUITE(CudaLayout, DeviceElements);

std::size_t place(const TapMatrices& shape, int tap, int row, int column) {
  return static_cast<std::size_t>(tap * shape.tap_stride + row * shape.row_stride + column);
}

std::size_t extent(const TapMatrices& shape, int taps) {
  return place(shape, taps - 1, shape.rows - 1, shape.columns);
}

// to [taps][37][41 of 44] from [taps][41 or fewer][37 of 40]: several tiles, all of them ragged.
TYPED_TEST(CudaLayout, TransposeTaps) {
  using T = TypeParam;
  constexpr int taps = 3;
  const TapMatrices to_shape{37, 41, 44, 37 * 44};
  for (const int rows : {41, 35, 50}) {
    const TapMatrices from_shape{rows, 37, 40, std::ptrdiff_t{rows} * 40};
    const auto from = as_stored<T>(random_values(extent(from_shape, taps), 1));
    const auto before = as_stored<float>(random_values(extent(to_shape, taps), 2));
    for (const bool add : {false, true}) {
      const DeviceVector<T> from_device(*this->stream_, from);
      const DeviceVector<float> to_device(*this->stream_, before);
      kernels::cuda::transpose_taps(to_device.data(), to_shape, from_device.data(), from_shape, taps, add,
                                    *this->stream_);
      auto expected = before;
      for (int tap = 0; tap < taps; ++tap) {
        for (int row = 0; row < to_shape.rows; ++row) {
          for (int column = 0; column < to_shape.columns; ++column) {
            const double value = column < rows ? from[place(from_shape, tap, column, row)] : 0;
            double& to = expected[place(to_shape, tap, row, column)];
            to = static_cast<double>(static_cast<float>(add ? to + value : value));
          }
        }
      }
      const auto result = to_device.values();
      EXPECT_TRUE(std::equal(result.begin(), result.end(), expected.begin(), expected.end()));
    }
  }
}

TYPED_TEST(CudaLayout, TransposeTapsOfOneType) {
  using T = TypeParam;
  const TapMatrices to_shape{3, 2, 2, 6}, from_shape{2, 3, 3, 6};
  const auto from = as_stored<T>(random_values(6, 1));
  const DeviceVector<T> from_device(*this->stream_, from), to(*this->stream_, std::vector<double>(6));
  kernels::cuda::transpose_taps(to.data(), to_shape, from_device.data(), from_shape, 1, false, *this->stream_);
  const auto result = to.values();
  for (std::size_t i = 0; i < 6; ++i) EXPECT_EQ(static_cast<double>(result[i]), from[i % 2 * 3 + i / 2]);
}

// Channels that are whole packs or not, at pixel strides that are aligned or not; more pixels than threads.
TYPED_TEST(CudaLayout, PadChannels) {
  using T = TypeParam;
  for (const auto& [channels, padded, gap, rows] :
       {std::array{3, 8, 0, 5}, {6, 8, 2, 5}, {8, 8, 8, 5}, {16, 16, 3, 5}, {264, 272, 0, 2}, {3, 8, 0, 61}}) {
    const Array from = as_stored<T>(Array::random(2, rows, rows, channels, 1));
    const DevicePixels<T> from_device(*this->stream_, from, gap);
    const DevicePixels<T> to(*this->stream_, Array::random(2, rows, rows, padded, 2));
    kernels::cuda::pad_channels<T>(to.image().data, padded, from_device.image(), *this->stream_);
    Array expected(2, rows, rows, padded);
    for_each(from, [&](int n, int y, int x, int c) { expected(n, y, x, c) = from(n, y, x, c); });
    EXPECT_EQ(to.array().values, expected.values) << channels;
  }
}

// An image's pixels in rows [pixel of the smaller image][row in block][column in block][channel].
Array in_rows(const Array& image, int factor) {
  Array rows(image.n, image.h / factor, image.w / factor, factor * factor * image.c);
  for_each(image, [&](int n, int y, int x, int c) {
    rows(n, y / factor, x / factor, ((y % factor) * factor + x % factor) * image.c + c) = image(n, y, x, c);
  });
  return rows;
}

struct Blocks {
  int factor, rows, columns, channels, gap;
};
constexpr std::array<Blocks, 5> blocks{
    {{2, 3, 5, 8, 0}, {2, 3, 5, 8, 3}, {3, 2, 3, 5, 0}, {2, 2, 3, 264, 0}, {2, 33, 31, 3, 0}}};

TYPED_TEST(CudaLayout, GatherPixels) {
  using T = TypeParam;
  for (const Blocks& b : blocks) {
    const Array image = as_stored<T>(Array::random(2, b.rows * b.factor, b.columns * b.factor, b.channels, 1));
    const Array expected = in_rows(image, b.factor);
    const DevicePixels<T> from(*this->stream_, image, b.gap), rows(*this->stream_, expected.like());
    kernels::cuda::gather_pixels<T>(rows.image().data, from.image(), b.factor, *this->stream_);
    EXPECT_EQ(rows.array().values, expected.values);
  }
}

TYPED_TEST(CudaLayout, ShufflePixels) {
  using T = TypeParam;
  for (const Blocks& b : blocks) {
    const Array image = as_stored<T>(Array::random(2, b.rows * b.factor, b.columns * b.factor, b.channels, 1));
    const auto bias = random_values(static_cast<std::size_t>(b.channels), 3);
    const DevicePixels<T> rows(*this->stream_, in_rows(image, b.factor)), to(*this->stream_, image.like(), b.gap);
    const DeviceVector<float> bias_device(*this->stream_, bias);
    for (const bool with_bias : {false, true}) {
      for (const bool with_relu : {false, true}) {
        kernels::cuda::shuffle_pixels<T>(to.image(), rows.image().data, with_bias ? bias_device.data() : nullptr,
                                         b.factor, with_relu, *this->stream_);
        Array expected = with_bias ? biased(image, bias) : image;
        if (with_relu) expected = relu(expected);
        expect_near(to.array(), expected, device_roundings<T>(1), "shuffled", 1);
      }
    }
  }
}

}  // namespace
}  // namespace plume::tests
