// Host side of the gather: chooses the tile, packs the weights and launches.
#pragma once

#include <algorithm>
#include <utility>

#include "kernels/cuda/convolution/gather_kernel.cuh"
#include "kernels/cuda/convolution/pack_weights.cuh"

namespace plume::kernels::cuda {

template <class T>
int most_pixels(const GatherArguments<T>& arguments) {
  int most = 0;
  for (int i = 0; i < arguments.lattice_count; ++i) most = std::max(most, arguments.lattices[i].pixels);
  return most;
}

// As wide as the channels; narrower where the grid would leave multiprocessors idle. Sums do not depend on the width.
template <class T>
int choose_width(const GatherArguments<T>& arguments, int widest, int multiprocessors) {
  const auto blocks = [&](int width) {
    std::ptrdiff_t count = 0;
    for (int i = 0; i < arguments.lattice_count; ++i) count += (arguments.lattices[i].pixels + 127) / 128;
    return count * ((arguments.out.c + width - 1) / width);
  };
  int width = 16;
  while (width < arguments.out.c && width < widest) width *= 2;
  while (width > 32 && blocks(width) < multiprocessors) width /= 2;
  return width;
}

template <class Arithmetic, int width>
void launch_gather(const GatherArguments<typename Arithmetic::Element>& arguments, CudaStream& stream) {
  using Block = Tile<width>;
  const auto down = static_cast<unsigned>((most_pixels(arguments) + Block::rows - 1) / Block::rows);
  const auto across = static_cast<unsigned>(arguments.padded_out / width);
  const dim3 grid(down * across, static_cast<unsigned>(arguments.lattice_count));
  launch<gather_kernel<Arithmetic, width>>({grid, dim3(Block::threads), Block::shared_bytes}, stream, arguments);
}

template <class Arithmetic, int... widths>
void gather_with(GatherArguments<typename Arithmetic::Element> arguments, const typename Arithmetic::Element* weight,
                 WeightStrides strides, CudaStream& stream, std::integer_sequence<int, widths...>) {
  if (arguments.lattice_count == 0 || arguments.out.c == 0) return;
  arguments.packs = packs(arguments.out);
  arguments.pooled_packs = packs(arguments.epilogue.pooled);
  const int width = choose_width(arguments, std::max({widths...}), stream.state().multiprocessors);
  pack_weights(arguments, weight, strides, width, stream);
  static_cast<void>(((width == widths ? (launch_gather<Arithmetic, widths>(arguments, stream), true) : false) || ...));
}

}  // namespace plume::kernels::cuda
