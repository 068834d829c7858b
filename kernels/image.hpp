// Views of images in memory: NHWC, with strides so that a view can be a channel slice of a wider buffer, or a part of a
// larger image.
#pragma once

#include <array>
#include <cassert>
#include <cstddef>
#include <type_traits>

#include "kernels/base/host_device.hpp"

namespace plume::kernels {

// n images of h rows, w columns, c channels; channels of a pixel are adjacent, pixels `stride` elements apart.
template <class T>
struct Image {
  T* data = nullptr;
  int n = 0;
  int h = 0;
  int w = 0;
  int c = 0;
  std::ptrdiff_t stride = 0;    // elements from one pixel to the next, >= c
  std::ptrdiff_t row_step = 0;  // from one row to the next, >= w * stride

  Image() = default;
  PLUME_HD Image(T* data_, int n_, int h_, int w_, int c_) : Image(data_, n_, h_, w_, c_, c_) {}
  PLUME_HD Image(T* data_, int n_, int h_, int w_, int c_, std::ptrdiff_t stride_)
      : Image(data_, n_, h_, w_, c_, stride_, w_ * stride_) {}
  PLUME_HD Image(T* data_, int n_, int h_, int w_, int c_, std::ptrdiff_t stride_, std::ptrdiff_t row_step_)
      : data(data_), n(n_), h(h_), w(w_), c(c_), stride(stride_), row_step(row_step_) {}

  // An image of mutable elements is one of const elements too.
  template <class U>
  requires std::is_same_v<const U, T> PLUME_HD Image(const Image<U>& other)  // NOLINT(google-explicit-constructor)
      : Image(other.data, other.n, other.h, other.w, other.c, other.stride, other.row_step) {}

  [[nodiscard]] PLUME_HD std::ptrdiff_t pixels() const { return std::ptrdiff_t{n} * h * w; }
  [[nodiscard]] PLUME_HD T* at(int image, int row, int column) const {
    return data + (std::ptrdiff_t{image} * h + row) * row_step + column * stride;
  }
  // Whether pixels follow each other at one distance, whatever their rows.
  [[nodiscard]] PLUME_HD bool rows_adjoin() const { return row_step == w * stride || h <= 1; }
  [[nodiscard]] PLUME_HD Image channels(int first, int count) const {
    return {data + first, n, h, w, count, stride, row_step};
  }
};

// One to four images of the same n, h, w, read as if they were one with their channels concatenated: a skip connection
// that copies nothing.
template <class T>
class Sources {
 public:
  static constexpr int max_count = 4;

  Sources() = default;
  Sources(Image<const T> image) { add(image); }                // NOLINT(google-explicit-constructor)
  Sources(Image<T> image) : Sources(Image<const T>(image)) {}  // NOLINT(google-explicit-constructor)

  void add(Image<const T> image) {
    assert(count_ < max_count);
    images_[static_cast<std::size_t>(count_++)] = image;
    channels_ += image.c;
  }
  [[nodiscard]] const Image<const T>* begin() const { return images_.data(); }
  [[nodiscard]] const Image<const T>* end() const { return images_.data() + count_; }
  [[nodiscard]] const Image<const T>& front() const { return images_[0]; }
  [[nodiscard]] int n() const { return images_[0].n; }
  [[nodiscard]] int h() const { return images_[0].h; }
  [[nodiscard]] int w() const { return images_[0].w; }
  [[nodiscard]] int c() const { return channels_; }

 private:
  std::array<Image<const T>, max_count> images_{};
  int count_ = 0;
  int channels_ = 0;
};

}  // namespace plume::kernels
