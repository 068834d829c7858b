// The gather kernel: one block makes 128 output pixels of up to 128 channels.
#pragma once

#include "device_language.hpp"
#include "kernels/cuda/convolution/arithmetic.cuh"
#include "kernels/cuda/convolution/gather_arguments.hpp"
#include "kernels/cuda/convolution/gather_store.cuh"
#include "kernels/cuda/convolution/load_group.cuh"
#include "kernels/cuda/convolution/tile.cuh"

namespace plume::kernels::cuda {

// The two operands of a block's tile in shared memory: a row of 64 bytes' depth for each pixel, then for each channel.
template <class Arithmetic, class Tile>
class GatherOperands {
 public:
  using T = typename Arithmetic::Element;

  __device__ GatherOperands(const GatherArguments<T>& arguments, const GatherLattice& lattice, int first_pixel,
                            int first_channel)
      : arguments_(arguments),
        lattice_(lattice),
        weights_(arguments.weights + lattice.weights + first_channel * chunk),
        shared_(dynamic_shared<T>()) {
    const int thread = static_cast<int>(threadIdx.x);
    cursor_.advance(arguments.in, thread % chunk_groups);
#pragma unroll
    for (int i = 0; i < pixels; ++i) {
      const int pixel = first_pixel + thread / chunk_groups + i * pixel_step;
      if (in_bounds(pixel < lattice.pixels)) {
        const auto place = lattice.place(pixel, arguments.by_window);
        rows_[i] = place.row * arguments.input_step;
        columns_[i] = place.column * arguments.input_step;
        origins_[i] = (place.image * arguments.in.h + rows_[i]) * arguments.in.w + columns_[i];
      } else {
        rows_[i] = outside;
        columns_[i] = 0;
        origins_[i] = 0;
      }
    }
  }

  // Chunks come in order.
  __device__ void load(int stage) {
    T* to = shared_ + stage * stage_elements;
    load_pixels(to);
    load_weights(to + Tile::rows * chunk);
  }

  __device__ void multiply(int stage, typename Tile::Sums& sums) const {
    const T* a = shared_ + stage * stage_elements + Tile::first_row() * chunk;
    const T* b = shared_ + stage * stage_elements + (Tile::rows + Tile::first_column()) * chunk;
#pragma unroll
    for (int step = 0; step < chunk_groups / 2; ++step) multiply_step(a, b, step * 2, sums);
  }

 private:
  static constexpr int group = group_size<T>;
  static constexpr int chunk = chunk_groups * group;  // elements of depth
  static constexpr int stage_elements = (Tile::rows + Tile::width) * chunk;
  static constexpr int pixel_step = Tile::threads / chunk_groups;
  static constexpr int pixels = Tile::rows / pixel_step;  // that a thread loads of each chunk
  static constexpr int outside = -(1 << 24);              // a row that no tap reaches

  __device__ static T* at(T* operand, int row, int group_) {
    return operand + row * chunk + swizzled<chunk_groups>(row, group_) * group;
  }
  __device__ static const T* at(const T* operand, int row, int group_) {
    return operand + row * chunk + swizzled<chunk_groups>(row, group_) * group;
  }

  __device__ void load_pixels(T* to) {
    const auto& in = arguments_.in;
    const bool deep = in_bounds(cursor_.tap < lattice_.taps);  // else the last chunk's filling
    const Tap& tap = arguments_.taps[deep ? lattice_.first_tap + cursor_.tap : 0];
    const int row_shift = tap.row;
    const int column_shift = tap.column;
    const SourceView<T> source = in.views[cursor_.source];
    const int thread = static_cast<int>(threadIdx.x);
#pragma unroll
    for (int i = 0; i < pixels; ++i) {
      const int row = rows_[i] + row_shift;
      const int column = columns_[i] + column_shift;
      const bool valid = deep && in_bounds(static_cast<unsigned>(row) < static_cast<unsigned>(in.h)) &&
                         in_bounds(static_cast<unsigned>(column) < static_cast<unsigned>(in.w));
      load_group(at(to, thread / chunk_groups + i * pixel_step, thread % chunk_groups), source, cursor_.channel,
                 origins_[i] + row_shift * in.w + column_shift, valid);
    }
    cursor_.advance(in, chunk_groups);
  }

  __device__ void load_weights(T* to) {
#pragma unroll
    for (int first = 0; first < Tile::width * chunk_groups; first += Tile::threads) {
      const int i = first + static_cast<int>(threadIdx.x);
      if (in_bounds(i < Tile::width * chunk_groups))
        cp_async16(at(to, i / chunk_groups, i % chunk_groups), weights_ + i * group);
    }
    weights_ += static_cast<std::ptrdiff_t>(arguments_.padded_out) * chunk;
  }

  // Two groups of depth, from `first` on. The warp's rows start at a multiple of 8, so that swizzles agree.
  __device__ static void multiply_step(const T* a, const T* b, int first, typename Tile::Sums& sums) {
    const int lane = static_cast<int>(threadIdx.x) % 32;
    typename Arithmetic::template Operand<2> columns[Tile::column_tiles];
#pragma unroll
    for (int tile = 0; tile < Tile::column_tiles; tile += 2) {
      unsigned raw[4];
      ldmatrix_x4(raw, at(b, tile * 8 + lane / 16 * 8 + lane % 8, first + lane / 8 % 2));
      columns[tile] = Arithmetic::prepare({raw[0], raw[1]});
      columns[tile + 1] = Arithmetic::prepare({raw[2], raw[3]});
    }
#pragma unroll
    for (int tile = 0; tile < Tile::row_tiles; ++tile) {
      unsigned raw[4];
      ldmatrix_x4(raw, at(a, tile * 16 + lane % 16, first + lane / 16));
      const auto row = Arithmetic::prepare(raw);
#pragma unroll
      for (int column = 0; column < Tile::column_tiles; ++column) {
        Arithmetic::multiply(sums[tile][column], row, columns[column]);
      }
    }
  }

  const GatherArguments<T>& arguments_;
  const GatherLattice& lattice_;
  const T* weights_;  // of the chunk that is loaded next
  T* shared_;
  GroupCursor cursor_;
  int rows_[pixels];
  int columns_[pixels];
  int origins_[pixels];  // the input pixels' numbers
};

template <class Arithmetic, int width>
__global__ void __launch_bounds__(Tile<width>::threads, Tile<width>::resident)
    gather_kernel(const __grid_constant__ GatherArguments<typename Arithmetic::Element> arguments) {
  using Block = Tile<width>;
  const GatherLattice& lattice = arguments.lattices[blockIdx.y];
  // Blocks that follow each other share their pixels: the input comes from L2 all but once.
  const int across = arguments.padded_out / width;
  const int first_pixel = static_cast<int>(blockIdx.x) / across * Block::rows;
  const int first_channel = static_cast<int>(blockIdx.x) % across * width;
  if (first_pixel >= lattice.pixels) return;  // another lattice has more

  typename Block::Sums sums = {};
  GatherOperands<Arithmetic, Block> operands(arguments, lattice, first_pixel, first_channel);
  run_pipeline<Block::stages>(operands, lattice.chunks, sums);
  store_sums<Block>(arguments, lattice, first_pixel, first_channel, sums);
}

}  // namespace plume::kernels::cuda
