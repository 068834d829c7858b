// Winograd convolutions and their data gradients: inputs and weights are transformed to points, multiplied there tile by
// tile as 16 or 36 matrix products, and transformed back.
#include <algorithm>
#include <cassert>

#include "kernels/cpu/gather_conv.hpp"
#include "kernels/cpu/parallel.hpp"
#include "kernels/cpu/primitives.hpp"
#include "kernels/cpu/winograd/layout.hpp"
#include "kernels/cpu/winograd/tiling.hpp"
#include "kernels/cpu/winograd/winograd.hpp"
#include "kernels/profile.hpp"

namespace plume::kernels {
namespace {

constexpr std::size_t inputs_bytes = std::size_t{512} << 10;   // of a task's own tiles: half of a common L2
constexpr std::size_t weights_bytes = std::size_t{320} << 10;  // of a task's own weights
constexpr std::size_t sums_bytes = std::size_t{384} << 10;

// Where the weights of tap t = 3 * row + column, input channel i and output channel o lie: data[t * tap + i * input + o *
// output].
template <class T>
struct TapWeights {
  const T* data = nullptr;
  std::ptrdiff_t tap = 0;
  std::ptrdiff_t input = 0;
  std::ptrdiff_t output = 0;
};

template <class T>
struct Problem {
  Image<T> out;
  const Sources<T>& in;
  TapWeights<T> weight;
  int pad_top;
  int pad_left;
  Epilogue<T> epilogue;
};

// How a convolution is cut. Every sum runs over the input channels in order, so that nothing here touches a bit.
//
// With many tiles, a task takes a block of them, keeps their inputs' points in its cache and goes through all weights,
// which were transformed before. With few tiles (deep layers) the weights are what does not fit in a cache: a task takes
// a group of output channels, transforms its weights piece by piece and goes through all inputs, transformed before.
template <class T>
struct Plan : WinogradLayout<T> {
  using Layout = WinogradLayout<T>;
  using Layout::cpu, Layout::groups, Layout::input_blocks, Layout::points, Layout::tiling, Layout::width;
  bool few_tiles;
  int block_tiles;
  int tile_blocks;
  int task_groups;  // of a task with few tiles: reads longer runs of the weights
  int chunk;        // input blocks whose weights are at hand at a time

  std::ptrdiff_t inputs_step;  // from one point to the next
  std::ptrdiff_t weights_step;
  std::ptrdiff_t sums_step;

  Plan(const Problem<T>& problem, WinogradTile tile, int threads) : Layout(tile, problem.in.c(), problem.out) {
    const int in_channels = problem.in.c();
    const int out_channels = problem.out.c;
    few_tiles = 2 * tiling.tiles <= out_channels;  // by measurement

    const std::size_t point_bytes = sizeof(T) * static_cast<std::size_t>(points);
    const std::size_t tile_sums = point_bytes * static_cast<std::size_t>(width);
    const std::size_t tile_inputs = point_bytes * static_cast<std::size_t>(in_channels);
    const auto fitting = static_cast<int>(few_tiles ? sums_bytes / tile_sums : inputs_bytes / tile_inputs);
    const int whole = std::max(1, fitting / cpu.winograd.product_tiles) * cpu.winograd.product_tiles;
    const auto least_blocks = std::min<std::ptrdiff_t>(few_tiles || threads == 1 ? 1 : 2 * threads, tiling.tiles);
    const std::ptrdiff_t blocks = std::max(least_blocks, (tiling.tiles + whole - 1) / whole);
    block_tiles = static_cast<int>((tiling.tiles + blocks - 1) / blocks);
    tile_blocks = static_cast<int>((tiling.tiles + block_tiles - 1) / block_tiles);

    const int fitting_groups =
        few_tiles ? static_cast<int>(sums_bytes / (tile_sums * static_cast<std::size_t>(block_tiles))) : 1;
    task_groups = std::clamp(fitting_groups, 1, std::max(1, groups / std::max(4, 2 * threads)));
    const std::size_t block_weights = point_bytes * static_cast<std::size_t>(block_channels * width * task_groups);
    chunk = few_tiles ? std::clamp(static_cast<int>(weights_bytes / block_weights), 1, input_blocks) : input_blocks;

    inputs_step = point_step<T>(std::ptrdiff_t{block_tiles} * input_blocks * block_channels);
    weights_step = point_step<T>(std::ptrdiff_t{chunk} * block_channels * width);
    sums_step = point_step<T>(std::ptrdiff_t{block_tiles} * width);
  }

  [[nodiscard]] TileBlock block(int index) const {
    const std::ptrdiff_t first = std::ptrdiff_t{index} * block_tiles;
    const auto tiles = static_cast<int>(std::min<std::ptrdiff_t>(block_tiles, tiling.tiles - first));
    return {first, tiles, cpu.winograd.product_tiles};
  }
};

// The points of the weights between input blocks [first_block, last_block) and a group, as [point][input][output].
template <class T>
void transform_weights(T* points, const Problem<T>& problem, const Plan<T>& plan, int group, int first_block,
                       int last_block) {
  constexpr int most_width = 2 * block_channels;
  T copy[9 * block_channels * most_width];
  const TapWeights<T>& weight = problem.weight;
  WinogradWeights<T> tile;
  tile.outputs = plan.vectors(group) * plan.cpu.lanes;
  tile.point_step = plan.weights_step;
  const int outputs = std::min(tile.outputs, problem.out.c - group * plan.width);
  for (int block = first_block; block < last_block; ++block) {
    const int first = block * block_channels;
    tile.inputs = std::min(block_channels, problem.in.c() - first);
    tile.points = points + std::ptrdiff_t{first - first_block * block_channels} * tile.outputs;
    const T* from = weight.data + first * weight.input + std::ptrdiff_t{group} * plan.width * weight.output;
    if (weight.output == 1 && outputs == tile.outputs) {
      tile.taps = from;
      tile.tap_step = weight.tap;
      tile.input_step = weight.input;
    } else {
      for (int tap = 0; tap < 9; ++tap) {
        T* to = copy + tap * tile.inputs * tile.outputs;
        for (int o = 0; o < tile.outputs; ++o) {
          for (int i = 0; i < tile.inputs; ++i) {
            to[i * tile.outputs + o] =
                o < outputs ? from[tap * weight.tap + i * weight.input + o * weight.output] : T{0};
          }
        }
      }
      tile.taps = copy;
      tile.tap_step = std::ptrdiff_t{tile.inputs} * tile.outputs;
      tile.input_step = tile.outputs;
    }
    plan.transforms.weights(tile);
  }
}

// The points' sums of one group of output channels, for a block of tiles: [point][tile][output].
template <class T>
void multiply(T* sums, const T* inputs, const T* weights, const Problem<T>& problem, const Plan<T>& plan,
              const TileBlock& tiles, int group, int first_block, int last_block) {
  const int vectors = plan.vectors(group);
  const int width = vectors * plan.cpu.lanes;
  const auto& product = plan.cpu.winograd.product[static_cast<std::size_t>(vectors)];
  WinogradProduct<T> tile;
  tile.blocks = last_block - first_block;
  tile.last_width =
      last_block == plan.input_blocks ? problem.in.c() - (last_block - 1) * block_channels : block_channels;
  tile.add = first_block > 0;
  for (int point = 0; point < plan.points; ++point) {
    tile.weights = weights + point * plan.weights_step;
    for (int g = 0; g < tiles.groups(); ++g) {
      const int count = tiles.group_tiles(g);
      const std::ptrdiff_t before = std::ptrdiff_t{g} * tiles.most;
      tile.inputs = inputs + point * plan.inputs_step +
                    (before * plan.input_blocks + std::ptrdiff_t{first_block} * count) * block_channels;
      tile.sums = sums + point * plan.sums_step + before * width;
      product[static_cast<std::size_t>(count)](tile);
    }
  }
}

template <class T>
void write_outputs(const T* sums, const Problem<T>& problem, const Plan<T>& plan, const TileBlock& tiles, int group) {
  const Image<T>& out = problem.out;
  const int first = group * plan.width;
  const int width = plan.vectors(group) * plan.cpu.lanes;
  WinogradOutput<T> tile;
  tile.point_step = plan.sums_step;
  tile.row_step = out.w * out.stride;
  tile.column_step = out.stride;
  tile.channels = std::min(plan.width, out.c - first);
  tile.bias = problem.epilogue.bias ? problem.epilogue.bias + first : nullptr;
  tile.add = problem.epilogue.add;
  tile.relu = problem.epilogue.relu;
  for (int t = 0; t < tiles.tiles; ++t) {
    const auto place = plan.tiling.place(tiles.first + t);
    tile.sums = sums + std::ptrdiff_t{t} * width;
    tile.pixels = out.at(place.image, place.row, place.column) + first;
    tile.rows = std::min(plan.tiling.outputs, out.h - place.row);
    tile.columns = std::min(plan.tiling.outputs, out.w - place.column);
    plan.transforms.output(tile);
  }
}

// Many tiles: tasks are blocks of them.
template <class T>
void convolve_tiles(const Problem<T>& problem, const Plan<T>& plan, CpuStream& stream) {
  const std::ptrdiff_t group_weights = plan.points * plan.weights_step;
  T* weights = stream.shared(CpuStream::weights).take<T>(static_cast<std::size_t>(plan.groups * group_weights));
  parallel_tasks(stream, std::ptrdiff_t{plan.groups} * plan.input_blocks, [&](std::ptrdiff_t task, int) {
    const auto group = static_cast<int>(task / plan.input_blocks);
    const auto block = static_cast<int>(task % plan.input_blocks);
    const int outputs = plan.vectors(group) * plan.cpu.lanes;
    transform_weights(weights + group * group_weights + std::ptrdiff_t{block} * block_channels * outputs, problem, plan,
                      group, block, block + 1);
  });
  parallel_tasks(stream, plan.tile_blocks, [&](std::ptrdiff_t task, int thread) {
    const TileBlock tiles = plan.block(static_cast<int>(task));
    T* inputs = stream.local(thread, 0).take<T>(static_cast<std::size_t>(plan.points * plan.inputs_step));
    T* sums = stream.local(thread, 1).take<T>(static_cast<std::size_t>(plan.points * plan.sums_step));
    gather_inputs(inputs, plan.inputs_step, problem.in, problem.pad_top, problem.pad_left, plan, tiles, 0,
                  plan.input_blocks);
    for (int group = 0; group < plan.groups; ++group) {
      multiply(sums, inputs, weights + group * group_weights, problem, plan, tiles, group, 0, plan.input_blocks);
      write_outputs(sums, problem, plan, tiles, group);
    }
  });
}

// Few tiles: tasks are groups of output channels, for each block of tiles.
template <class T>
void convolve_channels(const Problem<T>& problem, const Plan<T>& plan, CpuStream& stream) {
  constexpr int blocks_together = 4;
  const std::ptrdiff_t block_inputs = plan.points * plan.inputs_step;
  T* inputs = stream.shared(CpuStream::inputs).take<T>(static_cast<std::size_t>(plan.tile_blocks * block_inputs));
  const int cuts = ceil_div(plan.input_blocks, blocks_together);
  parallel_tasks(stream, std::ptrdiff_t{plan.tile_blocks} * cuts, [&](std::ptrdiff_t task, int) {
    const auto block = static_cast<int>(task / cuts);
    const int first = static_cast<int>(task % cuts) * blocks_together;
    gather_inputs(inputs + block * block_inputs, plan.inputs_step, problem.in, problem.pad_top, problem.pad_left, plan,
                  plan.block(block), first, std::min(first + blocks_together, plan.input_blocks));
  });
  const std::ptrdiff_t group_weights = plan.points * plan.weights_step;
  const std::ptrdiff_t group_sums = plan.points * plan.sums_step;
  const int group_tasks = ceil_div(plan.groups, plan.task_groups);
  parallel_tasks(stream, std::ptrdiff_t{group_tasks} * plan.tile_blocks, [&](std::ptrdiff_t task, int thread) {
    const int first_group = static_cast<int>(task / plan.tile_blocks) * plan.task_groups;
    const int last_group = std::min(first_group + plan.task_groups, plan.groups);
    const auto block = static_cast<int>(task % plan.tile_blocks);
    const TileBlock tiles = plan.block(block);
    T* weights = stream.local(thread, 0).take<T>(static_cast<std::size_t>(plan.task_groups * group_weights));
    T* sums = stream.local(thread, 1).take<T>(static_cast<std::size_t>(plan.task_groups * group_sums));
    for (int first = 0; first < plan.input_blocks; first += plan.chunk) {
      const int last = std::min(first + plan.chunk, plan.input_blocks);
      for (int group = first_group; group < last_group; ++group) {
        const int own = group - first_group;
        transform_weights(weights + own * group_weights, problem, plan, group, first, last);
      }
      for (int group = first_group; group < last_group; ++group) {
        const int own = group - first_group;
        multiply(sums + own * group_sums, inputs + block * block_inputs, weights + own * group_weights, problem, plan,
                 tiles, group, first, last);
      }
    }
    for (int group = first_group; group < last_group; ++group) {
      write_outputs(sums + (group - first_group) * group_sums, problem, plan, tiles, group);
    }
  });
}

template <class T>
void convolve(const Problem<T>& problem, WinogradTile tile, CpuStream& stream) {
  if (problem.out.pixels() == 0) return;
  name_algorithm(stream, name_of(tile));
  const Plan<T> plan(problem, tile, stream.threads());
  if (plan.few_tiles) {
    convolve_channels(problem, plan, stream);
  } else {
    convolve_tiles(problem, plan, stream);
  }
}

}  // namespace

template <class T>
void winograd_forward(Image<T> out, const Sources<T>& in, const T* weight, const T* bias, const ConvGeometry& geometry,
                      bool relu, WinogradTile tile, CpuStream& stream) {
  assert(winograd_applies(geometry));
  const TapWeights<T> taps{weight, std::ptrdiff_t{in.c()} * out.c, out.c, 1};
  const Problem<T> problem{out, in, taps, geometry.pad[0], geometry.pad[1], {.bias = bias, .relu = relu}};
  convolve(problem, tile, stream);
}

// The adjoint of a convolution of stride 1 is one too, of the kernel turned by 180 degrees.
template <class T>
void winograd_backward_data(Image<T> grad_in, Image<const T> grad_out, const T* weight, ChannelSlice slice,
                            const ConvGeometry& geometry, bool add, WinogradTile tile, CpuStream& stream) {
  assert(winograd_applies(geometry));
  const Sources<T> in(grad_out);
  const std::ptrdiff_t tap = std::ptrdiff_t{slice.total} * grad_out.c;
  const TapWeights<T> taps{weight + 8 * tap + std::ptrdiff_t{slice.first} * grad_out.c, -tap, 1, grad_out.c};
  const Problem<T> problem{grad_in, in, taps, 2 - geometry.pad[0], 2 - geometry.pad[1], {.add = add}};
  convolve(problem, tile, stream);
}

template void winograd_forward(Image<float>, const Sources<float>&, const float*, const float*, const ConvGeometry&,
                               bool, WinogradTile, CpuStream&);
template void winograd_forward(Image<double>, const Sources<double>&, const double*, const double*, const ConvGeometry&,
                               bool, WinogradTile, CpuStream&);
template void winograd_backward_data(Image<float>, Image<const float>, const float*, ChannelSlice, const ConvGeometry&,
                                     bool, WinogradTile, CpuStream&);
template void winograd_backward_data(Image<double>, Image<const double>, const double*, ChannelSlice,
                                     const ConvGeometry&, bool, WinogradTile, CpuStream&);

}  // namespace plume::kernels
