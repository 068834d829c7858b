// Convolutions in double by the definition, one loop per index: what the kernels must agree with.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include "array.hpp"
#include "kernels/convolution.hpp"

namespace plume::tests {

// Weights as [kernel row][kernel column][input channel][output channel].
struct Weights {
  int kernel = 0;
  int in = 0;
  int out = 0;
  std::vector<double> values;

  Weights(int kernel_, int in_, int out_)
      : kernel(kernel_), in(in_), out(out_), values(static_cast<std::size_t>(kernel * kernel * in * out)) {}
  double& operator()(int row, int column, int i, int o) {
    return values[static_cast<std::size_t>(((row * kernel + column) * in + i) * out + o)];
  }
  double operator()(int row, int column, int i, int o) const {
    return values[static_cast<std::size_t>(((row * kernel + column) * in + i) * out + o)];
  }
};

// body(image, big row, big column, small row, small column, kernel row, kernel column) for every product that a
// convolution from the big image to the small one, or its transpose the other way, is made of.
template <class Body>
void for_each_product(const Array& big, const Array& small, const kernels::ConvGeometry& g, const Body& body) {
  for (int n = 0; n < small.n; ++n) {
    for (int y = 0; y < small.h; ++y) {
      for (int x = 0; x < small.w; ++x) {
        for (int r = 0; r < g.kernel; ++r) {
          for (int s = 0; s < g.kernel; ++s) {
            const int row = y * g.stride + r - g.pad[0];
            const int column = x * g.stride + s - g.pad[1];
            if (big.inside(row, column)) body(n, row, column, y, x, r, s);
          }
        }
      }
    }
  }
}

inline Array convolve(const Array& in, const Weights& weight, const kernels::ConvGeometry& g) {
  Array out(in.n, g.output_rows(in.h), g.output_columns(in.w), weight.out);
  for_each_product(in, out, g, [&](int n, int row, int column, int y, int x, int r, int s) {
    for (int i = 0; i < weight.in; ++i) {
      for (int o = 0; o < weight.out; ++o) out(n, y, x, o) += in(n, row, column, i) * weight(r, s, i, o);
    }
  });
  return out;
}

inline Array convolve_transposed(const Array& in, const Weights& weight, const kernels::ConvGeometry& g) {
  Array out(in.n, g.transposed_rows(in.h), g.transposed_columns(in.w), weight.out);
  for_each_product(out, in, g, [&](int n, int row, int column, int y, int x, int r, int s) {
    for (int i = 0; i < weight.in; ++i) {
      for (int o = 0; o < weight.out; ++o) out(n, row, column, o) += in(n, y, x, i) * weight(r, s, i, o);
    }
  });
  return out;
}

struct ConvGradients {
  Array in;
  Weights weight;
  std::vector<double> bias;
};

inline std::vector<double> channel_sums(const Array& array) {
  std::vector<double> sums(static_cast<std::size_t>(array.c));
  for_each(array, [&](int n, int y, int x, int c) { sums[static_cast<std::size_t>(c)] += array(n, y, x, c); });
  return sums;
}

// The gradients of sum(out * grad_out).
inline ConvGradients convolve_backward(const Array& in, const Weights& weight, const Array& grad_out,
                                       const kernels::ConvGeometry& g) {
  ConvGradients grad{in.like(), Weights(weight.kernel, weight.in, weight.out), channel_sums(grad_out)};
  for_each_product(in, grad_out, g, [&](int n, int row, int column, int y, int x, int r, int s) {
    for (int i = 0; i < weight.in; ++i) {
      for (int o = 0; o < weight.out; ++o) {
        grad.in(n, row, column, i) += grad_out(n, y, x, o) * weight(r, s, i, o);
        grad.weight(r, s, i, o) += grad_out(n, y, x, o) * in(n, row, column, i);
      }
    }
  });
  return grad;
}

inline ConvGradients convolve_transposed_backward(const Array& in, const Weights& weight, const Array& grad_out,
                                                  const kernels::ConvGeometry& g) {
  ConvGradients grad{in.like(), Weights(weight.kernel, weight.in, weight.out), channel_sums(grad_out)};
  for_each_product(grad_out, in, g, [&](int n, int row, int column, int y, int x, int r, int s) {
    for (int i = 0; i < weight.in; ++i) {
      for (int o = 0; o < weight.out; ++o) {
        grad.in(n, y, x, i) += grad_out(n, row, column, o) * weight(r, s, i, o);
        grad.weight(r, s, i, o) += grad_out(n, row, column, o) * in(n, y, x, i);
      }
    }
  });
  return grad;
}

inline Array relu(Array array) {
  for (double& value : array.values) value = std::max(value, 0.0);
  return array;
}

// Adds bias[c] to every pixel.
inline Array biased(Array array, const std::vector<double>& bias) {
  for_each(array, [&](int n, int y, int x, int c) { array(n, y, x, c) += bias[static_cast<std::size_t>(c)]; });
  return array;
}

}  // namespace plume::tests
