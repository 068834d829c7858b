// Packs weights for the gather: depth-major in whole groups, output channels padded to the tile, zeros where there is
// nothing.
#pragma once

#include <algorithm>

#include "kernels/cuda/convolution/gather_arguments.hpp"
#include "kernels/cuda/convolution/load_group.cuh"

namespace plume::kernels::cuda {

// One thread makes one group, 16 bytes; neighbouring threads take neighbouring output channels.
template <class T>
__global__ void pack_weights_kernel(T* packed, const T* weight, WeightStrides strides,
                                    const __grid_constant__ GatherArguments<T> arguments) {
  const GatherLattice& lattice = arguments.lattices[blockIdx.y];
  const int index = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  const int out = index % arguments.padded_out;
  const int group = index / arguments.padded_out;
  if (!in_bounds(group < lattice.chunks * chunk_groups)) return;
  GroupCursor cursor;
  const int groups = arguments.in.padded / group_size<T>;
  cursor.tap = group / groups;
  cursor.advance(arguments.in, group % groups);
  int first = cursor.channel;
  for (int source = 0; source < cursor.source; ++source) first += arguments.in.views[source].channels;

  Pack<T, group_size<T>> values;
#pragma unroll
  for (int i = 0; i < group_size<T>; ++i) {
    const bool exists = in_bounds(cursor.tap < lattice.taps) && in_bounds(out < arguments.out.c) &&
                        in_bounds(cursor.channel + i < arguments.in.views[cursor.source].channels);
    values.values[i] = exists ? weight[arguments.taps[lattice.first_tap + cursor.tap].weight +
                                       (first + i) * strides.input + out * strides.output]
                              : T(0.0F);
  }
  const int place = (group / chunk_groups * arguments.padded_out + out) * chunk_groups + group % chunk_groups;
  T* to = packed + lattice.weights + static_cast<std::ptrdiff_t>(place) * group_size<T>;
  *reinterpret_cast<Pack<T, group_size<T>>*>(to) = values;
}

// Fills in what `arguments` says of weights, for tiles of `width` output channels.
template <class T>
void pack_weights(GatherArguments<T>& arguments, const T* weight, WeightStrides strides, int width,
                  CudaStream& stream) {
  constexpr unsigned threads = 128;
  arguments.padded_out = (arguments.out.c + width - 1) / width * width;
  std::ptrdiff_t elements = 0;
  int most_chunks = 0;
  for (int i = 0; i < arguments.lattice_count; ++i) {
    GatherLattice& lattice = arguments.lattices[i];
    lattice.weights = elements;
    elements += static_cast<std::ptrdiff_t>(lattice.chunks) * arguments.padded_out * chunk_groups * group_size<T>;
    most_chunks = std::max(most_chunks, lattice.chunks);
  }
  T* packed = stream.state().scratch(CudaStream::State::weights).template take<T>(static_cast<std::size_t>(elements));
  arguments.weights = packed;
  if (most_chunks == 0) return;
  const auto groups = static_cast<unsigned>(most_chunks * chunk_groups * arguments.padded_out);
  const dim3 grid((groups + threads - 1) / threads, static_cast<unsigned>(arguments.lattice_count));
  launch<pack_weights_kernel<T>>({grid, dim3(threads)}, stream, packed, weight, strides, arguments);
}

}  // namespace plume::kernels::cuda
