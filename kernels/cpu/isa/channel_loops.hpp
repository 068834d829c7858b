// Loops over pixels and their channels for normalisation; plain code that the compiler vectorises for the
// instruction set of the file that includes it.
#pragma once

#include <cstddef>

namespace plume::kernels::isa {

template <class Isa, class T>
void channel_sums(T* __restrict sum, const T* x, std::ptrdiff_t x_stride, std::ptrdiff_t pixels, int c) {
  for (std::ptrdiff_t p = 0; p < pixels; ++p, x += x_stride) {
    for (int i = 0; i < c; ++i) sum[i] += x[i];
  }
}

template <class Isa, class T>
void deviation_sums(T* __restrict sum, T* __restrict squares, const T* x, std::ptrdiff_t x_stride, const T* mean,
                    std::ptrdiff_t pixels, int c) {
  for (std::ptrdiff_t p = 0; p < pixels; ++p, x += x_stride) {
    for (int i = 0; i < c; ++i) {
      const T deviation = x[i] - mean[i];
      sum[i] += deviation;
      squares[i] += deviation * deviation;
    }
  }
}

template <class Isa, class T, bool relu>
void scale_shift_loop(T* y, std::ptrdiff_t y_stride, const T* x, std::ptrdiff_t x_stride, const T* __restrict scale,
                      const T* __restrict shift, std::ptrdiff_t pixels, int c) {
  for (std::ptrdiff_t p = 0; p < pixels; ++p, x += x_stride, y += y_stride) {
#pragma GCC ivdep
    for (int i = 0; i < c; ++i) {
      const T value = x[i] * scale[i] + shift[i];
      y[i] = relu && value < T{0} ? T{0} : value;
    }
  }
}

template <class Isa, class T>
void scale_shift(T* y, std::ptrdiff_t y_stride, const T* x, std::ptrdiff_t x_stride, const T* scale, const T* shift,
                 std::ptrdiff_t pixels, int c, bool relu) {
  (relu ? scale_shift_loop<Isa, T, true> : scale_shift_loop<Isa, T, false>)(y, y_stride, x, x_stride, scale, shift,
                                                                            pixels, c);
}

template <class Isa, class T>
void norm_grad_sums(T* __restrict sum_g, T* __restrict sum_gx, const T* dy, const T* y, const T* x,
                    std::ptrdiff_t dy_stride, std::ptrdiff_t y_stride, std::ptrdiff_t x_stride, const T* mean,
                    std::ptrdiff_t pixels, int c) {
  for (std::ptrdiff_t p = 0; p < pixels; ++p, dy += dy_stride, x += x_stride) {
    if (y) {
      for (int i = 0; i < c; ++i) {
        const T g = y[i] > T{0} ? dy[i] : T{0};
        sum_g[i] += g;
        sum_gx[i] += g * (x[i] - mean[i]);
      }
      y += y_stride;
    } else {
      for (int i = 0; i < c; ++i) {
        sum_g[i] += dy[i];
        sum_gx[i] += dy[i] * (x[i] - mean[i]);
      }
    }
  }
}

template <class Isa, class T, bool masked, bool add>
void norm_grad_apply_loop(T* dx, const T* dy, const T* y, const T* x, std::ptrdiff_t dx_stride,
                          std::ptrdiff_t dy_stride, std::ptrdiff_t y_stride, std::ptrdiff_t x_stride,
                          const T* __restrict mean, const T* __restrict a, const T* __restrict b, const T* __restrict d,
                          std::ptrdiff_t pixels, int c) {
  for (std::ptrdiff_t p = 0; p < pixels; ++p, dx += dx_stride, dy += dy_stride, x += x_stride) {
#pragma GCC ivdep
    for (int i = 0; i < c; ++i) {
      T g = dy[i];
      if constexpr (masked) g = y[i] > T{0} ? g : T{0};
      const T value = a[i] * g + b[i] * (x[i] - mean[i]) + d[i];
      dx[i] = add ? dx[i] + value : value;
    }
    if constexpr (masked) y += y_stride;
  }
}

template <class Isa, class T>
void norm_grad_apply(T* dx, const T* dy, const T* y, const T* x, std::ptrdiff_t dx_stride, std::ptrdiff_t dy_stride,
                     std::ptrdiff_t y_stride, std::ptrdiff_t x_stride, const T* mean, const T* a, const T* b,
                     const T* d, std::ptrdiff_t pixels, int c, bool add) {
  const auto loop = y ? (add ? norm_grad_apply_loop<Isa, T, true, true> : norm_grad_apply_loop<Isa, T, true, false>)
                      : (add ? norm_grad_apply_loop<Isa, T, false, true> : norm_grad_apply_loop<Isa, T, false, false>);
  loop(dx, dy, y, x, dx_stride, dy_stride, y_stride, x_stride, mean, a, b, d, pixels, c);
}

}  // namespace plume::kernels::isa
