// Describes a convolution to the gather kernel.
#include "kernels/cuda/convolution/gather_arguments.hpp"

#include "kernels/base/error.hpp"
#include "kernels/cuda/pixel_count.hpp"

namespace plume::kernels::cuda {

template <class T>
GatherArguments<T> gather_arguments(const Image<T>& out, const Sources<T>& in, const std::vector<Lattice>& lattices,
                                    const GatherEpilogue<T>& epilogue) {
  GatherArguments<T> arguments;
  arguments.out = out;
  arguments.in = SourceViews<T>(in);
  arguments.epilogue = epilogue;
  arguments.by_window = epilogue.pooled.data != nullptr;
  static_cast<void>(pixel_count(in.front().pixels()));
  int taps = 0;
  for (const Lattice& from : lattices) {
    if (out.n <= 0 || from.rows <= 0 || from.columns <= 0) continue;
    const auto count = static_cast<int>(from.taps.size());
    if (arguments.lattice_count == arguments.max_lattices || taps + count > arguments.max_taps) {
      throw input_error("a convolution of more than {} taps or {} phases on CUDA", arguments.max_taps,
                        arguments.max_lattices);
    }
    arguments.step = from.step;
    arguments.input_step = from.input_step;
    GatherLattice& to = arguments.lattices[arguments.lattice_count++];
    to.first_row = from.first_row;
    to.first_column = from.first_column;
    to.rows = from.rows;
    to.columns = from.columns;
    const int side = arguments.by_window ? 2 : 1;
    const int rows = (from.rows + side - 1) / side;
    const int columns = (from.columns + side - 1) / side;
    to.grid = {Divider(rows), Divider(columns)};
    to.pixels = pixel_count(std::ptrdiff_t{out.n} * rows * columns * side * side);
    to.first_tap = taps;
    to.taps = count;
    const int groups = count * (arguments.in.padded / group_size<T>);
    to.chunks = (groups + chunk_groups - 1) / chunk_groups;
    for (const Tap& tap : from.taps) arguments.taps[taps++] = tap;
  }
  return arguments;
}

template GatherArguments<float> gather_arguments(const Image<float>&, const Sources<float>&,
                                                 const std::vector<Lattice>&, const GatherEpilogue<float>&);
template GatherArguments<bf16> gather_arguments(const Image<bf16>&, const Sources<bf16>&, const std::vector<Lattice>&,
                                                const GatherEpilogue<bf16>&);

}  // namespace plume::kernels::cuda
