// The two-dimensional transforms of Winograd tiles: a one-dimensional one along the columns, then one along the rows.
#pragma once

#include "kernels/cpu/isa/partial_vector.hpp"
#include "kernels/cpu/isa/vector.hpp"
#include "kernels/cpu/winograd/primitives.hpp"

namespace plume::kernels::isa {

// size x size pixels to points x points; tiles lie `step` pixels apart. What the tile after the next adds to a row is
// fetched ahead, as the caches' own streams do not follow that many rows.
template <class Isa, class T, int size, int points, int step, auto transform>
void winograd_gather(const WinogradGather<T>& gather) {
  using V = Vector<Isa, T>;
  const WinogradGather<T> tile = gather;  // its own: stores could change what they are given
  for (int c = 0; c < tile.channels; c += V::lanes) {
    typename V::type across[points][size];  // [column point][row]
    for (int row = 0; row < size; ++row) {
      const T* from = tile.pixels + row * tile.row_step + c;
      typename V::type pixel[size];
      for (int column = 0; column < size; ++column) pixel[column] = V::load(from + column * tile.column_step);
      for (int column = size + step; column < size + 2 * step; ++column) {
        __builtin_prefetch(from + column * tile.column_step);
      }
      typename V::type point[points];
      transform(point, pixel);
      for (int column = 0; column < points; ++column) across[column][row] = point[column];
    }
    for (int column = 0; column < points; ++column) {
      typename V::type point[points];
      transform(point, across[column]);
      for (int row = 0; row < points; ++row) {
        V::store(tile.points + (row * points + column) * tile.point_step + c, point[row]);
      }
    }
  }
}

template <class F, class Isa, class T>
void winograd_weights(const WinogradWeights<T>& weights) {
  using V = Vector<Isa, T>;
  const WinogradWeights<T> tile = weights;
  constexpr int points = F::points;
  for (int i = 0; i < tile.inputs; ++i) {
    for (int o = 0; o < tile.outputs; o += V::lanes) {
      const T* from = tile.taps + i * tile.input_step + o;
      typename V::type across[points][3];
      for (int row = 0; row < 3; ++row) {
        typename V::type tap[3];
        for (int column = 0; column < 3; ++column) tap[column] = V::load(from + (row * 3 + column) * tile.tap_step);
        typename V::type point[points];
        F::weights(point, tap);
        for (int column = 0; column < points; ++column) across[column][row] = point[column];
      }
      T* to = tile.points + i * tile.outputs + o;
      for (int column = 0; column < points; ++column) {
        typename V::type point[points];
        F::weights(point, across[column]);
        for (int row = 0; row < points; ++row) V::store(to + (row * points + column) * tile.point_step, point[row]);
      }
    }
  }
}

template <class F, class Isa, class T>
void winograd_output(const WinogradOutput<T>& output_tile) {
  using V = Vector<Isa, T>;
  const WinogradOutput<T> tile = output_tile;
  constexpr int points = F::points;
  constexpr int outputs = F::outputs;
  for (int c = 0; c < tile.channels; c += V::lanes) {
    typename V::type across[outputs][points];  // [row][column point]
    for (int column = 0; column < points; ++column) {
      typename V::type sum[points];
      for (int row = 0; row < points; ++row) {
        sum[row] = V::load(tile.sums + (row * points + column) * tile.point_step + c);
      }
      typename V::type output[outputs];
      F::output(output, sum);
      for (int row = 0; row < outputs; ++row) across[row][column] = output[row];
    }
    const int channels = tile.channels - c < V::lanes ? tile.channels - c : V::lanes;
    const typename V::type least = typename V::type{} + (tile.relu ? T{0} : unbounded<T>);
    with_known_channels<Isa, T>(channels, [&](auto known) {
      typename V::type bias = {};
      if (tile.bias) bias = load_channels<Isa, T, known>(tile.bias + c, channels);
      for (int row = 0; row < tile.rows; ++row) {
        typename V::type output[outputs];
        F::output(output, across[row]);
        T* to = tile.pixels + row * tile.row_step + c;
        for (int column = 0; column < tile.columns; ++column, to += tile.column_step) {
          __builtin_prefetch(to + outputs * tile.column_step, 1);
          typename V::type value = output[column] + bias;
          if (tile.add) value += load_channels<Isa, T, known>(to, channels);
          store_channels<Isa, T, known>(to, value < least ? least : value, channels);  // a NaN stays one
        }
      }
    });
  }
}

template <class F, class Isa, class T>
void winograd_weight_grad(const WinogradWeightGrad<T>& gradient) {
  using V = Vector<Isa, T>;
  const WinogradWeightGrad<T> tile = gradient;
  constexpr int points = F::points;
  for (int tap = 0; tap < 9; ++tap) {
    const T* next = tile.taps + tap * tile.tap_step + tile.input_step;
    for (int c = 0; c < tile.channels; c += V::lanes) __builtin_prefetch(next + c, 1);
  }
  for (int c = 0; c < tile.channels; c += V::lanes) {
    typename V::type across[3][points];  // [row][column point]
    for (int column = 0; column < points; ++column) {
      typename V::type sum[points];
      for (int row = 0; row < points; ++row) {
        const T* from = tile.points + (row * points + column) * tile.point_step + c;
        typename V::type total = {};
        for (int copy = 0; copy < tile.copies; ++copy, from += tile.copy_step) {
          total += V::load(from);
          __builtin_prefetch(from + tile.channels);  // the next input channel's
        }
        sum[row] = total;
      }
      typename V::type tap[3];
      F::weight_grad(tap, sum);
      for (int row = 0; row < 3; ++row) across[row][column] = tap[row];
    }
    const int channels = tile.channels - c < V::lanes ? tile.channels - c : V::lanes;
    with_known_channels<Isa, T>(channels, [&](auto known) {
      for (int row = 0; row < 3; ++row) {
        typename V::type tap[3];
        F::weight_grad(tap, across[row]);
        for (int column = 0; column < 3; ++column) {
          T* to = tile.taps + (row * 3 + column) * tile.tap_step + c;
          if (tile.add) tap[column] += load_channels<Isa, T, known>(to, channels);
          store_channels<Isa, T, known>(to, tap[column], channels);
        }
      }
    });
  }
}

template <class F, class Isa, class T>
constexpr WinogradTransforms<T> winograd_transforms() {
  return {.outputs = F::outputs,
          .points = F::points,
          .input = winograd_gather<Isa, T, F::points, F::points, F::outputs, F::input>,
          .weights = winograd_weights<F, Isa, T>,
          .output = winograd_output<F, Isa, T>};
}

template <class F, class Isa, class T>
constexpr WinogradBackwardTransforms<T> winograd_backward_transforms() {
  return {.output_grad = winograd_gather<Isa, T, F::outputs, F::points, F::outputs, F::output_grad>,
          .weight_grad = winograd_weight_grad<F, Isa, T>};
}

}  // namespace plume::kernels::isa
