// The one-dimensional transforms of Winograd's minimal filtering for three taps, on vectors of channels.
// Source: Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", 2016; their matrices B^T, G and A^T.
#pragma once

#include "kernels/cpu/isa/vector.hpp"

namespace plume::kernels::isa {

// F(2, 3): two outputs of four inputs, interpolated at 0, 1, -1 and infinity.
template <class Isa, class T>
struct WinogradF2 {
  using V = typename Vector<Isa, T>::type;
  static constexpr int outputs = 2;
  static constexpr int points = 4;

  [[gnu::always_inline]] static void input(V (&to)[4], const V (&d)[4]) {
    to[0] = d[0] - d[2];
    to[1] = d[1] + d[2];
    to[2] = d[2] - d[1];
    to[3] = d[1] - d[3];
  }
  [[gnu::always_inline]] static void weights(V (&to)[4], const V (&g)[3]) {
    const V even = (g[0] + g[2]) * T(0.5);
    const V odd = g[1] * T(0.5);
    to[0] = g[0];
    to[1] = even + odd;
    to[2] = even - odd;
    to[3] = g[2];
  }
  [[gnu::always_inline]] static void output(V (&to)[2], const V (&m)[4]) {
    to[0] = m[0] + m[1] + m[2];
    to[1] = m[1] - m[2] - m[3];
  }
  // The adjoints of output and weights.
  [[gnu::always_inline]] static void output_grad(V (&to)[4], const V (&y)[2]) {
    to[0] = y[0];
    to[1] = y[0] + y[1];
    to[2] = y[0] - y[1];
    to[3] = -y[1];
  }
  [[gnu::always_inline]] static void weight_grad(V (&to)[3], const V (&u)[4]) {
    const V even = (u[1] + u[2]) * T(0.5);
    to[0] = u[0] + even;
    to[1] = (u[1] - u[2]) * T(0.5);
    to[2] = even + u[3];
  }
};

// F(4, 3): four outputs of six inputs, interpolated at 0, 1, -1, 2, -2 and infinity.
template <class Isa, class T>
struct WinogradF4 {
  using V = typename Vector<Isa, T>::type;
  static constexpr int outputs = 4;
  static constexpr int points = 6;

  [[gnu::always_inline]] static void input(V (&to)[6], const V (&d)[6]) {
    const V even = d[4] - T(4) * d[2];
    const V odd = d[3] - T(4) * d[1];
    const V even2 = d[4] - d[2];
    const V odd2 = T(2) * (d[3] - d[1]);
    to[0] = T(4) * d[0] + (d[4] - T(5) * d[2]);
    to[1] = even + odd;
    to[2] = even - odd;
    to[3] = even2 + odd2;
    to[4] = even2 - odd2;
    to[5] = T(4) * d[1] + (d[5] - T(5) * d[3]);
  }
  [[gnu::always_inline]] static void weights(V (&to)[6], const V (&g)[3]) {
    const V even = (g[0] + g[2]) * T(-1.0 / 6);
    const V odd = g[1] * T(-1.0 / 6);
    const V even2 = g[0] * T(1.0 / 24) + g[2] * T(1.0 / 6);
    const V odd2 = g[1] * T(1.0 / 12);
    to[0] = g[0] * T(0.25);
    to[1] = even + odd;
    to[2] = even - odd;
    to[3] = even2 + odd2;
    to[4] = even2 - odd2;
    to[5] = g[2];
  }
  [[gnu::always_inline]] static void output(V (&to)[4], const V (&m)[6]) {
    const V even = m[1] + m[2];
    const V odd = m[1] - m[2];
    const V even2 = m[3] + m[4];
    const V odd2 = m[3] - m[4];
    to[0] = m[0] + even + even2;
    to[1] = odd + T(2) * odd2;
    to[2] = even + T(4) * even2;
    to[3] = odd + T(8) * odd2 + m[5];
  }
  // The adjoints of output and weights.
  [[gnu::always_inline]] static void output_grad(V (&to)[6], const V (&y)[4]) {
    const V even = y[0] + y[2];
    const V odd = y[1] + y[3];
    const V even2 = y[0] + T(4) * y[2];
    const V odd2 = T(2) * y[1] + T(8) * y[3];
    to[0] = y[0];
    to[1] = even + odd;
    to[2] = even - odd;
    to[3] = even2 + odd2;
    to[4] = even2 - odd2;
    to[5] = y[3];
  }
  [[gnu::always_inline]] static void weight_grad(V (&to)[3], const V (&u)[6]) {
    const V even = (u[1] + u[2]) * T(-1.0 / 6);
    const V even2 = u[3] + u[4];
    to[0] = T(0.25) * u[0] + even + T(1.0 / 24) * even2;
    to[1] = (u[2] - u[1]) * T(1.0 / 6) + (u[3] - u[4]) * T(1.0 / 12);
    to[2] = even + T(1.0 / 6) * even2 + u[5];
  }
};

}  // namespace plume::kernels::isa
