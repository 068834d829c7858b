// What the gather kernel and the packing of its weights are told, by value: launches are recorded in graphs.
#pragma once

#include <cstddef>
#include <vector>

#include "kernels/cuda/convolution/divider.hpp"
#include "kernels/cuda/convolution/gather.hpp"
#include "kernels/cuda/convolution/source_views.hpp"

namespace plume::kernels::cuda {

// Depth is worked off in chunks of so many groups.
inline constexpr int chunk_groups = 4;

struct GatherLattice {
  int first_row = 0;
  int first_column = 0;
  int rows = 0;
  int columns = 0;
  PixelGrid grid;  // of its pixels, or of 2x2 windows of them
  int pixels = 0;  // that are numbered
  int first_tap = 0;
  int taps = 0;
  int chunks = 0;
  std::ptrdiff_t weights = 0;  // where the lattice's packed weights start

  // Pixels are numbered row by row, or window by window: then a window's four follow each other, and some may lie beyond
  // the last row and column.
  [[nodiscard]] PLUME_HD PixelGrid::Place place(int pixel, bool by_window) const {
    if (!by_window) return grid.place(pixel);
    const auto window = grid.place(pixel / 4);
    return {window.image, window.row * 2 + pixel % 4 / 2, window.column * 2 + pixel % 2};
  }
};

template <class T>
struct GatherArguments {
  static constexpr int max_lattices = 16;
  static constexpr int max_taps = 49;

  Image<T> out;
  SourceViews<T> in;
  const T* weights = nullptr;  // [lattice][chunk][padded_out][chunk_groups * group_size<T>], zeros where nothing is
  int padded_out = 0;          // output channels, rounded up to whole tiles
  GatherEpilogue<T> epilogue;
  bool by_window = false;  // pixels are numbered so, for the epilogue's maxima
  bool packs = false;      // out can be moved 16 bytes at a time
  bool pooled_packs = false;
  int step = 1;
  int input_step = 1;
  int lattice_count = 0;
  GatherLattice lattices[max_lattices];
  Tap taps[max_taps];
};

// All but the weights and whether there are packs; empty lattices are left out. Throws input_error where it does not fit.
template <class T>
GatherArguments<T> gather_arguments(const Image<T>& out, const Sources<T>& in, const std::vector<Lattice>& lattices,
                                    const GatherEpilogue<T>& epilogue);

}  // namespace plume::kernels::cuda
