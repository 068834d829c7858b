// Elementwise operations on the CPU: one loop over pixels, bodies from functors.hpp.
#include "kernels/pointwise.hpp"

#include <algorithm>
#include <cmath>

#include "kernels/cpu/parallel.hpp"
#include "kernels/functors.hpp"

namespace plume::kernels {
namespace {

constexpr std::ptrdiff_t grain = 4096;  // pixels a task takes

// body(pixel) for every pixel.
template <class Body>
void for_pixels(CpuStream& stream, std::ptrdiff_t pixels, const Body& body) {
  parallel_ranges(stream, pixels, grain, [&](std::ptrdiff_t first, std::ptrdiff_t last) {
    for (std::ptrdiff_t p = first; p < last; ++p) body(p);
  });
}

// out (+)= body(in...) for every value; all inputs have out's shape.
template <class T, class Body, class... In>
void map(CpuStream& stream, Image<T> out, bool add, const Body& body, const In&... in) {
  const auto each = [&](auto&& put) {
    const auto is_dense = [](const auto& image) { return image.stride == image.c && image.rows_adjoin(); };
    const bool dense = is_dense(out) && (is_dense(in) && ...);
    if (dense) {
      parallel_for(stream, out.pixels() * out.c, [&](std::ptrdiff_t i) { put(out.data[i], body(in.data[i]...)); });
      return;
    }
    parallel_tasks(stream, std::ptrdiff_t{out.n} * out.h, [&](std::ptrdiff_t task, int) {
      const auto place = [&](const auto& image, int column) {
        return image.at(static_cast<int>(task / out.h), static_cast<int>(task % out.h), column);
      };
      for (int column = 0; column < out.w; ++column) {
        for (int c = 0; c < out.c; ++c) put(place(out, column)[c], body(place(in, column)[c]...));
      }
    });
  };
  if (add) {
    each([](T& to, T value) { to += value; });
  } else {
    each([](T& to, T value) { to = value; });
  }
}

}  // namespace

template <class T>
void copy(Image<T> out, Image<const T> in, bool add, CpuStream& stream) {
  map(
      stream, out, add, [](T x) { return x; }, in);
}

template <class T>
void add(Image<T> out, Image<const T> a, Image<const T> b, CpuStream& stream) {
  map(
      stream, out, false, [](T x, T y) { return x + y; }, a, b);
}

template <class T>
void relu_forward(Image<T> out, Image<const T> in, CpuStream& stream) {
  map(stream, out, false, ReluBody{}, in);
}

template <class T>
void relu_backward(Image<T> grad_in, Image<const T> grad_out, Image<const T> out, bool add, CpuStream& stream) {
  map(stream, grad_in, add, ReluGradientBody{}, grad_out, out);
}

template <class T>
void sigmoid_forward(Image<T> out, Image<const T> in, CpuStream& stream) {
  map(stream, out, false, SigmoidBody{}, in);
}

template <class T>
void sigmoid_backward(Image<T> grad_in, Image<const T> grad_out, Image<const T> out, bool add, CpuStream& stream) {
  map(stream, grad_in, add, SigmoidGradientBody{}, grad_out, out);
}

template <class T>
void softmax_forward(Image<T> out, Image<const T> in, CpuStream& stream) {
  for_pixels(stream, out.pixels(), [&](std::ptrdiff_t p) {
    const T* x = in.data + p * in.stride;
    T* y = out.data + p * out.stride;
    const T largest = *std::max_element(x, x + in.c);
    T sum{0};
    for (int c = 0; c < in.c; ++c) sum += y[c] = std::exp(x[c] - largest);
    for (int c = 0; c < in.c; ++c) y[c] /= sum;
  });
}

template <class T>
void softmax_backward(Image<T> grad_in, Image<const T> grad_out, Image<const T> out, bool add, CpuStream& stream) {
  for_pixels(stream, out.pixels(), [&](std::ptrdiff_t p) {
    const T* g = grad_out.data + p * grad_out.stride;
    const T* y = out.data + p * out.stride;
    T* to = grad_in.data + p * grad_in.stride;
    T dot{0};
    for (int c = 0; c < out.c; ++c) dot += g[c] * y[c];
    for (int c = 0; c < out.c; ++c) {
      const T value = y[c] * (g[c] - dot);
      to[c] = add ? to[c] + value : value;
    }
  });
}

template void copy(Image<float>, Image<const float>, bool, CpuStream&);
template void copy(Image<double>, Image<const double>, bool, CpuStream&);
template void add(Image<float>, Image<const float>, Image<const float>, CpuStream&);
template void add(Image<double>, Image<const double>, Image<const double>, CpuStream&);
template void relu_forward(Image<float>, Image<const float>, CpuStream&);
template void relu_forward(Image<double>, Image<const double>, CpuStream&);
template void relu_backward(Image<float>, Image<const float>, Image<const float>, bool, CpuStream&);
template void relu_backward(Image<double>, Image<const double>, Image<const double>, bool, CpuStream&);
template void sigmoid_forward(Image<float>, Image<const float>, CpuStream&);
template void sigmoid_forward(Image<double>, Image<const double>, CpuStream&);
template void sigmoid_backward(Image<float>, Image<const float>, Image<const float>, bool, CpuStream&);
template void sigmoid_backward(Image<double>, Image<const double>, Image<const double>, bool, CpuStream&);
template void softmax_forward(Image<float>, Image<const float>, CpuStream&);
template void softmax_forward(Image<double>, Image<const double>, CpuStream&);
template void softmax_backward(Image<float>, Image<const float>, Image<const float>, bool, CpuStream&);
template void softmax_backward(Image<double>, Image<const double>, Image<const double>, bool, CpuStream&);

}  // namespace plume::kernels
