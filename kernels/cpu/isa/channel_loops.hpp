// Loops over pixels and their channels for normalisation; plain code that the compiler vectorises for the
// instruction set of the file that includes it.
#pragma once

#include <cstddef>

#include "kernels/cpu/backward_primitives.hpp"
#include "kernels/cpu/primitives.hpp"

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

template <class Isa, class T, bool relu>
void norm_grad_sums_loop(T* __restrict sum_g, T* __restrict sum_gx, const T* dy, std::ptrdiff_t dy_stride, const T* x,
                         std::ptrdiff_t x_stride, const T* __restrict mean, const T* __restrict scale,
                         const T* __restrict shift, std::ptrdiff_t pixels, int c) {
  for (std::ptrdiff_t p = 0; p < pixels; ++p, dy += dy_stride, x += x_stride) {
    for (int i = 0; i < c; ++i) {
      const T g = !relu || x[i] * scale[i] + shift[i] > T{0} ? dy[i] : T{0};
      sum_g[i] += g;
      sum_gx[i] += g * (x[i] - mean[i]);
    }
  }
}

template <class Isa, class T>
void norm_grad_sums(T* sum_g, T* sum_gx, const T* dy, std::ptrdiff_t dy_stride, const T* x, std::ptrdiff_t x_stride,
                    const NormLine<T>& line, std::ptrdiff_t pixels, int c) {
  const auto loop = line.relu ? norm_grad_sums_loop<Isa, T, true> : norm_grad_sums_loop<Isa, T, false>;
  loop(sum_g, sum_gx, dy, dy_stride, x, x_stride, line.mean, line.scale, line.shift, pixels, c);
}

template <class Isa, class T, bool relu, bool add>
void norm_grad_apply_loop(T* dx, std::ptrdiff_t dx_stride, const T* dy, std::ptrdiff_t dy_stride, const T* x,
                          std::ptrdiff_t x_stride, const T* __restrict mean, const T* __restrict scale,
                          const T* __restrict shift, const T* __restrict slope, const T* __restrict offset,
                          std::ptrdiff_t pixels, int c) {
  for (std::ptrdiff_t p = 0; p < pixels; ++p, dx += dx_stride, dy += dy_stride, x += x_stride) {
#pragma GCC ivdep
    for (int i = 0; i < c; ++i) {
      const T g = !relu || x[i] * scale[i] + shift[i] > T{0} ? dy[i] : T{0};
      const T value = scale[i] * g + slope[i] * (x[i] - mean[i]) + offset[i];
      dx[i] = add ? dx[i] + value : value;
    }
  }
}

template <class Isa, class T>
void norm_grad_apply(T* dx, std::ptrdiff_t dx_stride, const T* dy, std::ptrdiff_t dy_stride, const T* x,
                     std::ptrdiff_t x_stride, const NormLine<T>& line, const T* slope, const T* offset,
                     std::ptrdiff_t pixels, int c, bool add) {
  const auto loop =
      line.relu ? (add ? norm_grad_apply_loop<Isa, T, true, true> : norm_grad_apply_loop<Isa, T, true, false>)
                : (add ? norm_grad_apply_loop<Isa, T, false, true> : norm_grad_apply_loop<Isa, T, false, false>);
  loop(dx, dx_stride, dy, dy_stride, x, x_stride, line.mean, line.scale, line.shift, slope, offset, pixels, c);
}

}  // namespace plume::kernels::isa
