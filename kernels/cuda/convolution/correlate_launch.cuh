// Host side of the correlation: chooses the tile and the parts, launches, and adds the parts.
#pragma once

#include <algorithm>
#include <utility>

#include "kernels/cuda/convolution/add_parts.cuh"
#include "kernels/cuda/convolution/correlate.hpp"
#include "kernels/cuda/convolution/correlate_kernel.cuh"

namespace plume::kernels::cuda {

// Where a padded row and column of the sums belongs in the gradient, or -1.
template <class T>
struct WeightPlace {
  CorrelationStrides strides;
  Divider columns;  // padded
  Divider tap_rows;
  int taps = 0;
  int lattice_count = 0;
  int gathered_count = 0;
  int lattice_channels[Sources<T>::max_count];
  int gathered_channels[Sources<T>::max_count];

  WeightPlace(const CorrelateArguments<T>& arguments, const CorrelationStrides& strides_)
      : strides(strides_), columns(arguments.columns), tap_rows(arguments.gathered.padded), taps(arguments.taps) {
    lattice_count = arguments.lattice.count;
    gathered_count = arguments.gathered.count;
    for (int i = 0; i < lattice_count; ++i) lattice_channels[i] = arguments.lattice.views[i].channels;
    for (int i = 0; i < gathered_count; ++i) gathered_channels[i] = arguments.gathered.views[i].channels;
  }

  // The channel of concatenated sources at a place among their padded channels, or -1.
  __device__ static int channel(int padded, const int* channels, int count) {
    int first = 0;
    for (int i = 0; i < count; ++i) {
      const int width = (channels[i] + group_size<T> - 1) / group_size<T> * group_size<T>;
      if (padded < width) return in_bounds(padded < channels[i]) ? first + padded : -1;
      padded -= width;
      first += channels[i];
    }
    return -1;
  }
  __device__ std::ptrdiff_t operator()(int element) const {
    const int row = columns.quotient(element);
    const int tap = tap_rows.quotient(row);
    const int gathered = channel(row - tap * tap_rows.divisor(), gathered_channels, gathered_count);
    const int lattice = channel(element - row * columns.divisor(), lattice_channels, lattice_count);
    if (!in_bounds(tap < taps) || !in_bounds(gathered >= 0) || !in_bounds(lattice >= 0)) return -1;
    return tap * strides.tap + gathered * strides.gathered + lattice * strides.lattice;
  }
};

// By shape alone: the parts order the sums. Enough of them to fill a device; short ones keep f32 sums exact.
template <class T>
int choose_parts(const CorrelateArguments<T>& arguments, int tiles) {
  constexpr int wanted_blocks = 512;
  constexpr int shortest = 512;
  constexpr int longest = 8192;
  constexpr std::ptrdiff_t most_elements = std::ptrdiff_t{16} << 20;  // of all parts: 64 MB
  const auto parts_of = [&](int pixels) { return (arguments.pixels + pixels - 1) / pixels; };
  const int wanted = std::max((wanted_blocks + tiles - 1) / tiles, parts_of(longest));
  const auto fitting = static_cast<int>(most_elements / (std::ptrdiff_t{arguments.rows} * arguments.columns));
  return std::clamp(std::min({wanted, parts_of(shortest), fitting}), 1, 65535);
}

template <class Arithmetic, int width>
void launch_correlate(const CorrelateArguments<typename Arithmetic::Element>& arguments, int parts,
                      CudaStream& stream) {
  using Block = Tile<width>;
  const auto tiles = static_cast<unsigned>(arguments.rows / Block::rows * (arguments.columns / width));
  const dim3 grid(tiles, static_cast<unsigned>(parts));
  launch<correlate_kernel<Arithmetic, width>>({grid, dim3(Block::threads), Block::shared_bytes}, stream, arguments);
}

// Returns the number of parts.
template <class Arithmetic, int... widths>
int correlate_with(CorrelateArguments<typename Arithmetic::Element>& arguments, CudaStream& stream,
                   std::integer_sequence<int, widths...>) {
  constexpr int rows = Tile<16>::rows;
  int width = 16;
  while (width < arguments.lattice.padded && width < std::max({widths...})) width *= 2;
  arguments.rows = (arguments.taps * arguments.gathered.padded + rows - 1) / rows * rows;
  arguments.columns = (arguments.lattice.padded + width - 1) / width * width;
  int parts = choose_parts(arguments, arguments.rows / rows * (arguments.columns / width));
  arguments.part_pixels = std::max(1, (arguments.pixels + parts - 1) / parts);
  parts = std::max(1, (arguments.pixels + arguments.part_pixels - 1) / arguments.part_pixels);
  const auto elements = static_cast<std::size_t>(arguments.rows) * static_cast<std::size_t>(arguments.columns);
  arguments.partials = stream.state()
                           .scratch(CudaStream::State::partials)
                           .template take<float>(elements * static_cast<std::size_t>(parts));
  static_cast<void>(
      ((width == widths ? (launch_correlate<Arithmetic, widths>(arguments, parts, stream), true) : false) || ...));
  return parts;
}

template <class T>
void add_weight_parts(float* result, const CorrelationStrides& strides, const CorrelateArguments<T>& arguments,
                      int parts, bool add, CudaStream& stream) {
  add_parts(result, arguments.partials, parts, arguments.rows * arguments.columns, WeightPlace<T>(arguments, strides),
            add, stream);
}

}  // namespace plume::kernels::cuda
