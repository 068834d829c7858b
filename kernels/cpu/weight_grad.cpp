// Weight gradients: pixels are cut into a number of parts that depends on the shape alone, each part sums into its own
// copy, and the copies are added in order; so neither threads nor chance touch a bit of the result.
#include "kernels/cpu/weight_grad.hpp"

#include <algorithm>

#include "kernels/cpu/backward_primitives.hpp"
#include "kernels/cpu/panel.hpp"
#include "kernels/cpu/parallel.hpp"
#include "kernels/cpu/primitives.hpp"
#include "kernels/profile.hpp"

namespace plume::kernels {
namespace {

constexpr std::size_t panel_bytes = std::size_t{192} << 10;
constexpr std::size_t copies_bytes = std::size_t{8} << 20;
constexpr int most_parts = 16;
constexpr int run_pixels = 256;  // summed in registers before they join the copy: short runs keep f32 sums exact

template <class T>
struct Plan {
  const BackwardPrimitives<T>& cpu = backward_primitives<T>();
  int blocks;  // of gathered channels
  int width;   // lattice channels of a tile
  int tiles;
  int columns;  // of the gathered panel
  int band;     // lattice rows packed at a time
  int bands;    // in all images
  int bands_per_image;
  int parts;                      // of all bands, each with a copy of the result
  int splits;                     // of the gathered blocks, each a task
  std::ptrdiff_t block_elements;  // of a copy, for one block: [tap][lattice channel][block_channels]
  std::ptrdiff_t copy_elements;

  Plan(const Sources<T>& gathered, const Sources<T>& lattice, const ConvGeometry& geometry) {
    blocks = ceil_div(gathered.c(), block_channels);
    width = std::min(cpu.grad_channels, lattice.c());
    tiles = ceil_div(lattice.c(), width);
    width = ceil_div(lattice.c(), tiles);
    columns = (lattice.w() - 1) * geometry.stride + geometry.kernel;
    const int taps = geometry.kernel * geometry.kernel;
    block_elements = std::ptrdiff_t{taps} * lattice.c() * block_channels;
    copy_elements = block_elements * blocks;

    const int group = std::min(blocks, 4);  // blocks that share a packing of the lattice
    const std::size_t row_bytes = sizeof(T) * static_cast<std::size_t>(columns * block_channels * geometry.stride +
                                                                       lattice.w() * lattice.c() / group);
    band = std::clamp(static_cast<int>(panel_bytes / row_bytes) - geometry.kernel + 1, 1, lattice.h());
    bands_per_image = ceil_div(lattice.h(), band);
    bands = lattice.n() * bands_per_image;
    const auto fitting = copies_bytes / (sizeof(T) * static_cast<std::size_t>(copy_elements));
    parts = std::clamp(static_cast<int>(std::min<std::size_t>(fitting, most_parts)), 1, bands);
    splits = ceil_div(blocks, group);
  }
};

// Lattice channels as [tile][row][column][width of the tile], so that a tile reads them in order.
template <class T>
void pack_lattice(T* packed, const Sources<T>& lattice, const Plan<T>& plan, int image, int first_row, int rows) {
  const std::ptrdiff_t pixels = std::ptrdiff_t{rows} * lattice.w();
  int source_first = 0;
  for (const auto& source : lattice) {
    for (int tile = 0; tile < plan.tiles; ++tile) {
      const int tile_first = tile * plan.width;
      const int tile_width = std::min(plan.width, lattice.c() - tile_first);
      const int first = std::max(tile_first, source_first);
      const int last = std::min(tile_first + tile_width, source_first + source.c);
      if (first >= last) continue;
      const T* from = source.at(image, first_row, 0) + (first - source_first);
      T* to = packed + tile_first * pixels + (first - tile_first);
      for (std::ptrdiff_t p = 0; p < pixels; ++p, from += source.stride, to += tile_width) {
        for (int c = 0; c < last - first; ++c) to[c] = from[c];
      }
    }
    source_first += source.c;
  }
}

// One tile over the rows of a band, in runs.
template <class T>
void run_tile(const Plan<T>& plan, WeightGradTile<T> tile, int taps, int width, int rows) {
  const auto sums = plan.cpu.weight_grad_tile[static_cast<std::size_t>(taps)][static_cast<std::size_t>(width)];
  const int run = std::max(1, run_pixels / tile.columns);
  for (int row = 0; row < rows; row += run) {
    tile.rows = std::min(run, rows - row);
    sums(tile);
    tile.input += run * tile.input_row;
    tile.grad += std::ptrdiff_t{run} * tile.columns * width;
  }
}

// All taps and lattice channels of one gathered block, over the rows of a band.
template <class T>
void run_block(T* sums, const T* panel, const T* packed, const Plan<T>& plan, const ConvGeometry& geometry, int rows,
               int columns, int lattice_channels) {
  WeightGradTile<T> tile;
  tile.columns = columns;
  tile.input_row = std::ptrdiff_t{geometry.stride} * plan.columns * block_channels;
  tile.input_step = std::ptrdiff_t{geometry.stride} * block_channels;
  tile.sums_tap = std::ptrdiff_t{lattice_channels} * block_channels;
  for (int first = 0; first < lattice_channels; first += plan.width) {
    const int width = std::min(plan.width, lattice_channels - first);
    for (int row = 0; row < geometry.kernel; ++row) {
      for (int column = 0; column < geometry.kernel; column += BackwardPrimitives<T>::max_taps) {
        tile.input = panel + (std::ptrdiff_t{row} * plan.columns + column) * block_channels;
        tile.grad = packed + std::ptrdiff_t{first} * rows * columns;
        tile.sums = sums + (row * geometry.kernel + column) * tile.sums_tap + std::ptrdiff_t{first} * block_channels;
        run_tile(plan, tile, std::min(BackwardPrimitives<T>::max_taps, geometry.kernel - column), width, rows);
      }
    }
  }
}

// Adds the parts' copies in order and writes them where the caller keeps its weights.
template <class T>
void reduce(T* result, CorrelationStrides strides, const T* copies, const Plan<T>& plan, int taps, int gathered,
            int lattice, bool add, CpuStream& stream) {
  parallel_tasks(stream, std::ptrdiff_t{plan.blocks} * taps, [&](std::ptrdiff_t task, int) {
    const int block = static_cast<int>(task / taps);
    const int tap = static_cast<int>(task % taps);
    const int first = block * block_channels;
    const int width = std::min(block_channels, gathered - first);
    const T* from = copies + block * plan.block_elements + std::ptrdiff_t{tap} * lattice * block_channels;
    for (int b = 0; b < lattice; ++b, from += block_channels) {
      T sum[block_channels] = {};
      for (int part = 0; part < plan.parts; ++part) {
        for (int a = 0; a < block_channels; ++a) sum[a] += from[part * plan.copy_elements + a];
      }
      T* to = result + tap * strides.tap + first * strides.gathered + b * strides.lattice;
      for (int a = 0; a < width; ++a, to += strides.gathered) *to = add ? *to + sum[a] : sum[a];
    }
  });
}

}  // namespace

template <class T>
void correlate(T* result, CorrelationStrides strides, const Sources<T>& gathered, const Sources<T>& lattice,
               ConvGeometry geometry, bool add, CpuStream& stream) {
  name_algorithm(stream, "direct");
  const Plan<T> plan(gathered, lattice, geometry);
  T* copies = stream.shared(CpuStream::partials).take<T>(static_cast<std::size_t>(plan.copy_elements * plan.parts));
  const int panel_rows = (plan.band - 1) * geometry.stride + geometry.kernel;
  const std::ptrdiff_t panel_block = std::ptrdiff_t{panel_rows} * plan.columns * block_channels;

  parallel_tasks(stream, std::ptrdiff_t{plan.parts} * plan.splits, [&](std::ptrdiff_t task, int thread) {
    const auto part = static_cast<int>(task / plan.splits);
    const auto split = static_cast<int>(task % plan.splits);
    const int first_block = plan.blocks * split / plan.splits;
    const int last_block = plan.blocks * (split + 1) / plan.splits;
    T* copy = copies + part * plan.copy_elements;
    std::fill(copy + first_block * plan.block_elements, copy + last_block * plan.block_elements, T{0});
    T* panel = stream.local(thread, 0).take<T>(static_cast<std::size_t>(panel_block));
    T* packed = stream.local(thread, 1).take<T>(static_cast<std::size_t>(plan.band) *
                                                static_cast<std::size_t>(lattice.w() * lattice.c()));

    const auto first_band = static_cast<int>(std::ptrdiff_t{plan.bands} * part / plan.parts);
    const auto last_band = static_cast<int>(std::ptrdiff_t{plan.bands} * (part + 1) / plan.parts);
    for (int band = first_band; band < last_band; ++band) {
      const int image = band / plan.bands_per_image;
      const int first_row = band % plan.bands_per_image * plan.band;
      const int rows = std::min(plan.band, lattice.h() - first_row);
      pack_lattice(packed, lattice, plan, image, first_row, rows);
      const PanelWindow window{image, first_row * geometry.stride - geometry.pad[0], -geometry.pad[1],
                               (rows - 1) * geometry.stride + geometry.kernel, plan.columns};
      for (int block = first_block; block < last_block; ++block) {
        pack_panel(panel, gathered, window, block, block + 1);
        run_block(copy + block * plan.block_elements, panel, packed, plan, geometry, rows, lattice.w(), lattice.c());
      }
    }
  });
  reduce(result, strides, copies, plan, geometry.kernel * geometry.kernel, gathered.c(), lattice.c(), add, stream);
}

template void correlate(float*, CorrelationStrides, const Sources<float>&, const Sources<float>&, ConvGeometry, bool,
                        CpuStream&);
template void correlate(double*, CorrelationStrides, const Sources<double>&, const Sources<double>&, ConvGeometry, bool,
                        CpuStream&);

}  // namespace plume::kernels
