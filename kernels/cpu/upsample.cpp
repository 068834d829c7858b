// Twofold enlargement on the CPU; all interpolations are separable and described by two taps per output row or column.
#include "kernels/upsample.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

#include "kernels/cpu/parallel.hpp"

namespace plume::kernels {
namespace {

struct Tap {
  int position;
  double weight;
};

// The two inputs that an output row or column mixes; at the border they are the same one.
std::array<Tap, 2> input_taps(int output, int inputs, Interpolation interpolation) {
  const int near = output / 2;
  if (interpolation == Interpolation::nearest) return {{{near, 1.0}, {near, 0.0}}};
  if (interpolation == Interpolation::aligned) {  // at output * (inputs - 1) / steps
    const int steps = 2 * inputs - 1;
    const int before = output * (inputs - 1) / steps;
    const double behind = static_cast<double>(output * (inputs - 1) % steps) / steps;
    return {{{before, 1 - behind}, {std::min(before + 1, inputs - 1), behind}}};
  }
  const int far = std::clamp(output % 2 == 0 ? near - 1 : near + 1, 0, inputs - 1);
  return {{{near, 0.75}, {far, 0.25}}};
}

// The first of at most four outputs that an input row or column flows into.
int first_output(int input, int inputs, Interpolation interpolation) {
  if (interpolation != Interpolation::aligned) return 2 * input - 1;
  return input == 0 ? 0 : (input - 1) * (2 * inputs - 1) / (inputs - 1) + 1;
}

// Those outputs, with what it adds to each.
std::array<Tap, 4> output_taps(int input, int inputs, Interpolation interpolation) {
  std::array<Tap, 4> taps{};
  for (int k = 0; k < 4; ++k) {
    const int output = first_output(input, inputs, interpolation) + k;
    if (output < 0 || output >= 2 * inputs) continue;
    double weight = 0;
    for (const Tap& tap : input_taps(output, inputs, interpolation)) weight += tap.position == input ? tap.weight : 0;
    taps[static_cast<std::size_t>(k)] = {output, weight};
  }
  return taps;
}

}  // namespace

template <class T>
void upsample_forward(Image<T> out, Image<const T> in, Interpolation interpolation, CpuStream& stream) {
  parallel_tasks(stream, std::ptrdiff_t{out.n} * out.h, [&](std::ptrdiff_t task, int) {
    const int image = static_cast<int>(task / out.h);
    const int row = static_cast<int>(task % out.h);
    const auto rows = input_taps(row, in.h, interpolation);
    for (int column = 0; column < out.w; ++column) {
      T* to = out.at(image, row, column);
      std::fill_n(to, out.c, T{0});
      for (const Tap& r : rows) {
        for (const Tap& s : input_taps(column, in.w, interpolation)) {
          const auto weight = static_cast<T>(r.weight * s.weight);
          if (weight == T{0}) continue;
          const T* from = in.at(image, r.position, s.position);
          for (int c = 0; c < out.c; ++c) to[c] += weight * from[c];
        }
      }
    }
  });
}

// In sixteenths, which the weights are, so that every instruction set gives the same bits.
template <>
void upsample_forward(Image<std::uint8_t> out, Image<const std::uint8_t> in, Interpolation interpolation,
                      CpuStream& stream) {
  const auto quarters = [](const Tap& tap) { return static_cast<int>(4 * tap.weight); };
  parallel_tasks(stream, std::ptrdiff_t{out.n} * out.h, [&](std::ptrdiff_t task, int) {
    const int image = static_cast<int>(task / out.h);
    const int row = static_cast<int>(task % out.h);
    const auto rows = input_taps(row, in.h, interpolation);
    for (int column = 0; column < out.w; ++column) {
      const auto columns = input_taps(column, in.w, interpolation);
      const std::uint8_t* from[4];
      int weight[4];
      for (std::size_t k = 0; k < 4; ++k) {
        from[k] = in.at(image, rows[k / 2].position, columns[k % 2].position);
        weight[k] = quarters(rows[k / 2]) * quarters(columns[k % 2]);
      }
      std::uint8_t* to = out.at(image, row, column);
#pragma GCC ivdep
      for (int c = 0; c < out.c; ++c) {
        const int sum =
            weight[0] * from[0][c] + weight[1] * from[1][c] + weight[2] * from[2][c] + weight[3] * from[3][c];
        to[c] = static_cast<std::uint8_t>((sum + 8) / 16);
      }
    }
  });
}

template <class T>
void upsample_backward(Image<T> grad_in, Image<const T> grad_out, Interpolation interpolation, bool add,
                       CpuStream& stream) {
  parallel_tasks(stream, std::ptrdiff_t{grad_in.n} * grad_in.h, [&](std::ptrdiff_t task, int) {
    const int image = static_cast<int>(task / grad_in.h);
    const int row = static_cast<int>(task % grad_in.h);
    const auto rows = output_taps(row, grad_in.h, interpolation);
    for (int column = 0; column < grad_in.w; ++column) {
      T* to = grad_in.at(image, row, column);
      if (!add) std::fill_n(to, grad_in.c, T{0});
      for (const Tap& r : rows) {
        for (const Tap& s : output_taps(column, grad_in.w, interpolation)) {
          const auto weight = static_cast<T>(r.weight * s.weight);
          if (weight == T{0}) continue;
          const T* from = grad_out.at(image, r.position, s.position);
          for (int c = 0; c < grad_in.c; ++c) to[c] += weight * from[c];
        }
      }
    }
  });
}

template void upsample_forward(Image<float>, Image<const float>, Interpolation, CpuStream&);
template void upsample_forward(Image<double>, Image<const double>, Interpolation, CpuStream&);
template void upsample_backward(Image<float>, Image<const float>, Interpolation, bool, CpuStream&);
template void upsample_backward(Image<double>, Image<const double>, Interpolation, bool, CpuStream&);

}  // namespace plume::kernels
