// The correlation kernel behind weight gradients, an implicit GEMM too: rows are taps times gathered channels, columns
// lattice channels, and the depth is pixels of the lattice.
#pragma once

#include "device_language.hpp"
#include "kernels/cuda/convolution/arithmetic.cuh"
#include "kernels/cuda/convolution/correlate_arguments.hpp"
#include "kernels/cuda/convolution/load_group.cuh"
#include "kernels/cuda/convolution/pixel_major.cuh"
#include "kernels/cuda/convolution/tile.cuh"

namespace plume::kernels::cuda {

// The two operands of a block's tile in shared memory: for each pixel of a chunk, the tile's gathered channels; then for
// each pixel its lattice channels.
template <class Arithmetic, class Tile>
class CorrelateOperands {
 public:
  using T = typename Arithmetic::Element;
  static constexpr int depth = 2 * Arithmetic::depth;  // pixels of a chunk

  // For the pixels [first_pixel, last_pixel).
  __device__ CorrelateOperands(const CorrelateArguments<T>& arguments, int first_row, int first_column, int first_pixel,
                               int last_pixel)
      : arguments_(arguments), pixel_(first_pixel), last_pixel_(last_pixel), shared_(dynamic_shared<T>()) {
    const int thread = static_cast<int>(threadIdx.x);
    row_.advance(arguments.gathered, first_row / group + thread % row_groups);
    column_.advance(arguments.lattice, first_column / group + thread % column_groups);
  }

  // Chunks come in order.
  __device__ void load(int stage) {
    T* to = shared_ + stage * stage_elements;
    load_gathered(to);
    load_lattice(to + depth * Tile::rows);
    pixel_ += depth;
  }

  __device__ void multiply(int stage, typename Tile::Sums& sums) const {
    const T* a = shared_ + stage * stage_elements;
    const T* b = a + depth * Tile::rows;
#pragma unroll 1  // more warps in flight are worth more than more loads in flight of one
    for (int step = 0; step < 2; ++step) multiply_step(a, b, step * Arithmetic::depth, sums);
  }

 private:
  static constexpr int group = group_size<T>;
  static constexpr int row_groups = Tile::rows / group;
  static constexpr int column_groups = Tile::width / group;
  static constexpr int stage_elements = depth * (Tile::rows + Tile::width);
  static_assert(Tile::threads % row_groups == 0 && Tile::threads % column_groups == 0);

  __device__ void load_gathered(T* to) const {
    const auto& in = arguments_.gathered;
    const bool exists = row_.tap < arguments_.taps;  // else the last tile's filling, whose sums nobody reads
    const Tap& tap = arguments_.tap[exists ? row_.tap : 0];
    const SourceView<T> source = in.views[row_.source];
#pragma unroll 1  // registers are short, and asynchronous copies do not wait
    for (int first = 0; first < depth * row_groups; first += Tile::threads) {
      const int line = (first + static_cast<int>(threadIdx.x)) / row_groups;
      const int pixel = pixel_ + line;
      const auto place = arguments_.grid.place(pixel);
      const int row = place.row * arguments_.stride + tap.row;
      const int column = place.column * arguments_.stride + tap.column;
      const bool valid = exists && in_bounds(pixel < last_pixel_) &&
                         in_bounds(static_cast<unsigned>(row) < static_cast<unsigned>(in.h)) &&
                         in_bounds(static_cast<unsigned>(column) < static_cast<unsigned>(in.w));
      load_group(PixelMajor<T, Tile::rows>::at(to, line, static_cast<int>(threadIdx.x) % row_groups * group), source,
                 row_.channel, (place.image * in.h + row) * in.w + column, valid);
    }
  }

  __device__ void load_lattice(T* to) const {
    const bool exists = column_.tap == 0;  // else beyond the last channel, filling too
    const SourceView<T> source = arguments_.lattice.views[column_.source];
#pragma unroll
    for (int first = 0; first < depth * column_groups; first += Tile::threads) {
      const int line = (first + static_cast<int>(threadIdx.x)) / column_groups;
      if (!in_bounds(line < depth)) break;
      const int pixel = pixel_ + line;
      load_group(PixelMajor<T, Tile::width>::at(to, line, static_cast<int>(threadIdx.x) % column_groups * group),
                 source, column_.channel, pixel, exists && in_bounds(pixel < last_pixel_));
    }
  }

  __device__ static void multiply_step(const T* a, const T* b, int first, typename Tile::Sums& sums) {
    typename Arithmetic::template Operand<2> columns[Tile::column_tiles];
#pragma unroll
    for (int tile = 0; tile < Tile::column_tiles; tile += 2) {
      unsigned raw[4];
      PixelMajor<T, Tile::width>::load_columns(raw, b, first, Tile::first_column() + tile * 8);
      columns[tile] = Arithmetic::prepare({raw[0], raw[1]});
      columns[tile + 1] = Arithmetic::prepare({raw[2], raw[3]});
    }
#pragma unroll
    for (int tile = 0; tile < Tile::row_tiles; ++tile) {
      unsigned raw[4];
      PixelMajor<T, Tile::rows>::load_rows(raw, a, first, Tile::first_row() + tile * 16);
      const auto row = Arithmetic::prepare(raw);
#pragma unroll
      for (int column = 0; column < Tile::column_tiles; ++column) {
        Arithmetic::multiply(sums[tile][column], row, columns[column]);
      }
    }
  }

  const CorrelateArguments<T>& arguments_;
  int pixel_;  // the first of the chunk that is loaded next
  int last_pixel_;
  T* shared_;
  GroupCursor row_;     // the gathered group that the thread loads of every pixel
  GroupCursor column_;  // and the lattice group
};

// A tile of one part's sums, whole: rows and columns are padded.
template <class Tile>
__device__ void store_partial(float* to, int pitch, const typename Tile::Sums& sums) {
  const int lane = static_cast<int>(threadIdx.x) % 32;
  to += static_cast<std::ptrdiff_t>(Tile::first_row() + lane / 4) * pitch + Tile::first_column() + lane % 4 * 2;
#pragma unroll
  for (int tile = 0; tile < Tile::row_tiles; ++tile) {
#pragma unroll
    for (int column = 0; column < Tile::column_tiles; ++column) {
      const float(&sum)[4] = sums[tile][column];
      float* upper = to + static_cast<std::ptrdiff_t>(tile) * 16 * pitch + column * 8;
      *reinterpret_cast<float2*>(upper) = make_float2(sum[0], sum[1]);
      *reinterpret_cast<float2*>(upper + 8 * pitch) = make_float2(sum[2], sum[3]);
    }
  }
}

// blockIdx.x picks the tile, blockIdx.y the part of the pixels.
template <class Arithmetic, int width>
__global__ void __launch_bounds__(Tile<width>::threads, Tile<width>::resident)
    correlate_kernel(const __grid_constant__ CorrelateArguments<typename Arithmetic::Element> arguments) {
  using Block = Tile<width>;
  using Operands = CorrelateOperands<Arithmetic, Block>;
  const int across = arguments.columns / width;
  const int first_row = static_cast<int>(blockIdx.x) / across * Block::rows;
  const int first_column = static_cast<int>(blockIdx.x) % across * width;
  const int part = static_cast<int>(blockIdx.y);
  const int first_pixel = part * arguments.part_pixels;
  const int last_pixel = min(first_pixel + arguments.part_pixels, arguments.pixels);

  typename Block::Sums sums = {};
  Operands operands(arguments, first_row, first_column, first_pixel, last_pixel);
  run_pipeline<Block::stages>(operands, (last_pixel - first_pixel + Operands::depth - 1) / Operands::depth, sums);
  float* to = arguments.partials +
              (static_cast<std::ptrdiff_t>(part) * arguments.rows + first_row) * arguments.columns + first_column;
  store_partial<Block>(to, arguments.columns, sums);
}

}  // namespace plume::kernels::cuda
