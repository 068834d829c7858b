// Fills the tables of primitives for one instruction set, at compile time: a file compiled for AVX-512 must hold no code that
// the linker could take for everyone (an inline constructor, say).
#pragma once

#include <algorithm>
#include <utility>

#include "kernels/cpu/isa/channel_loops.hpp"
#include "kernels/cpu/isa/conv_tile.hpp"
#include "kernels/cpu/isa/multiply_adds.hpp"
#include "kernels/cpu/isa/pool_loops.hpp"
#include "kernels/cpu/isa/weight_grad_tile.hpp"
#include "kernels/cpu/isa/winograd_points.hpp"
#include "kernels/cpu/isa/winograd_product.hpp"
#include "kernels/cpu/isa/winograd_transforms.hpp"

namespace plume::kernels::isa {

// Sums may fill the registers but for the operands: two or three vectors of weights or inputs, and one broadcast.
template <class Isa>
inline constexpr int sum_registers = Isa::registers * 3 / 4;

template <class Isa, class T, int vectors>
constexpr void fill_conv_tiles(Primitives<T>& table) {
  constexpr int most = std::min(sum_registers<Isa> / vectors, Primitives<T>::max_pixels);
  table.tile_pixels[vectors] = most;
  [&]<int... p>(std::integer_sequence<int, p...>) {
    ((table.conv_tile[vectors][p + 1] = conv_tile<Isa, T, p + 1, vectors>), ...);
  }
  (std::make_integer_sequence<int, most>{});
}

template <class Isa, class T, int taps>
constexpr void fill_weight_grad_tiles(BackwardPrimitives<T>& table) {
  constexpr int per_channel = 3 * block_channels / Vector<Isa, T>::lanes;
  constexpr int most = std::clamp(sum_registers<Isa> / per_channel, 1, BackwardPrimitives<T>::max_grad_channels);
  table.grad_channels = most;
  [&]<int... c>(std::integer_sequence<int, c...>) {
    ((table.weight_grad_tile[taps][c + 1] = weight_grad_tile<Isa, T, taps, c + 1>), ...);
  }
  (std::make_integer_sequence<int, most>{});
}

// All registers but three (two vectors of weights, one broadcast) hold sums.
template <class Isa, class T, int vectors>
constexpr void fill_winograd_products(WinogradPrimitives<T>& table) {
  constexpr int most = std::min((Isa::registers - 3) / WinogradPrimitives<T>::max_vectors, table.max_tiles);
  table.product_tiles = most;
  [&]<int... t>(std::integer_sequence<int, t...>) {
    ((table.product[vectors][t + 1] = winograd_product<Isa, T, t + 1, vectors>), ...);
  }
  (std::make_integer_sequence<int, most>{});
}

template <class Isa, class T, int vectors>
constexpr void fill_winograd_correlations(WinogradBackwardPrimitives<T>& table) {
  constexpr int most = Isa::registers / 4;
  table.correlation_inputs = most;
  [&]<int... i>(std::integer_sequence<int, i...>) {
    ((table.correlation[vectors][i + 1] = winograd_correlation<Isa, T, i + 1, vectors>), ...);
  }
  (std::make_integer_sequence<int, most>{});
}

template <class Isa, class T>
constexpr WinogradPrimitives<T> make_winograd_table() {
  WinogradPrimitives<T> table;
  table.f2 = winograd_transforms<WinogradF2<Isa, T>, Isa, T>();
  table.f4 = winograd_transforms<WinogradF4<Isa, T>, Isa, T>();
  fill_winograd_products<Isa, T, 1>(table);
  fill_winograd_products<Isa, T, 2>(table);
  return table;
}

template <class Isa, class T>
constexpr WinogradBackwardPrimitives<T> make_winograd_backward_table() {
  WinogradBackwardPrimitives<T> table;
  table.f2 = winograd_backward_transforms<WinogradF2<Isa, T>, Isa, T>();
  table.f4 = winograd_backward_transforms<WinogradF4<Isa, T>, Isa, T>();
  fill_winograd_correlations<Isa, T, 1>(table);
  fill_winograd_correlations<Isa, T, 2>(table);
  return table;
}

template <class Isa, class T>
constexpr Primitives<T> make_table() {
  Primitives<T> table;
  table.name = Isa::name;
  table.lanes = Vector<Isa, T>::lanes;
  fill_conv_tiles<Isa, T, 1>(table);
  fill_conv_tiles<Isa, T, 2>(table);
  table.winograd = make_winograd_table<Isa, T>();
  table.peak_values = sum_registers<Isa> * Vector<Isa, T>::lanes;
  table.multiply_adds = multiply_adds<Isa, T, sum_registers<Isa>>;
  table.channel_sums = channel_sums<Isa, T>;
  table.deviation_sums = deviation_sums<Isa, T>;
  table.scale_shift = scale_shift<Isa, T>;
  table.max_pool = max_pool<Isa, T>;
  return table;
}

template <class Isa, class T>
constexpr BackwardPrimitives<T> make_backward_table(decltype(BackwardPrimitives<T>::adamw) adamw) {
  BackwardPrimitives<T> table;
  fill_weight_grad_tiles<Isa, T, 1>(table);
  fill_weight_grad_tiles<Isa, T, 2>(table);
  fill_weight_grad_tiles<Isa, T, 3>(table);
  table.winograd = make_winograd_backward_table<Isa, T>();
  table.norm_grad_sums = norm_grad_sums<Isa, T>;
  table.norm_grad_apply = norm_grad_apply<Isa, T>;
  table.max_pool_grad = max_pool_grad<Isa, T>;
  table.adamw = adamw;
  return table;
}

}  // namespace plume::kernels::isa
