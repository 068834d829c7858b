// Winograd weight gradients: inputs and output gradients are transformed to points, multiplied there and summed over
// tiles as 16 or 36 matrix products, and transformed to the kernels' taps.
#include <algorithm>
#include <cassert>

#include "kernels/cpu/backward_primitives.hpp"
#include "kernels/cpu/parallel.hpp"
#include "kernels/cpu/primitives.hpp"
#include "kernels/cpu/winograd/layout.hpp"
#include "kernels/cpu/winograd/tiling.hpp"
#include "kernels/cpu/winograd/winograd.hpp"
#include "kernels/profile.hpp"

namespace plume::kernels {
namespace {

constexpr std::size_t points_bytes = std::size_t{512} << 10;  // of a task's own tiles: half of a common L2
constexpr std::size_t copies_bytes = std::size_t{16} << 20;
constexpr int most_parts = 16;
constexpr int least_part_tiles = 64;  // or else clearing and adding the copies takes too long

template <class T>
struct Problem {
  T* grad_weight;
  const Sources<T>& in;
  Sources<T> grad_out;
  int pad_top;
  int pad_left;
  bool add;
};

// How a gradient is cut, by shape alone.
//
// With many tiles, they are cut into parts, each summed into a copy of all points; a part goes through its tiles in
// blocks that fit in a cache. With few tiles (deep layers) all are transformed before, and a task takes some input and
// output channels, whose sums fit in a cache, through all tiles.
template <class T>
struct Plan : WinogradLayout<T> {
  using Layout = WinogradLayout<T>;
  using Layout::groups, Layout::input_blocks, Layout::points, Layout::tiling, Layout::width;
  const WinogradBackwardTransforms<T>& backward;
  bool few_tiles;
  int block_tiles;
  int parts;

  std::ptrdiff_t inputs_step;  // from one point to the next
  std::ptrdiff_t grads_step;

  Plan(const Problem<T>& problem, WinogradTile tile)
      : Layout(tile, problem.in.c(), problem.grad_out.front()),
        backward(tile == WinogradTile::f2 ? backward_primitives<T>().winograd.f2
                                          : backward_primitives<T>().winograd.f4) {
    const std::ptrdiff_t in_width = std::ptrdiff_t{input_blocks} * block_channels;
    const std::ptrdiff_t out_width = std::ptrdiff_t{groups} * width;
    few_tiles = tiling.tiles * (in_width + out_width) <= 2 * in_width * out_width;

    const std::size_t point_bytes = sizeof(T) * static_cast<std::size_t>(points);
    const auto fitting = static_cast<std::ptrdiff_t>(points_bytes / point_bytes) / (in_width + out_width);
    constexpr std::ptrdiff_t least_tiles = 32;
    block_tiles = static_cast<int>(few_tiles ? tiling.tiles : std::min(std::max(least_tiles, fitting), tiling.tiles));
    const auto copy_bytes = point_bytes * static_cast<std::size_t>(in_width * out_width);
    const auto fitting_copies = static_cast<std::ptrdiff_t>(copies_bytes / copy_bytes);
    const std::ptrdiff_t worthwhile = std::min<std::ptrdiff_t>(tiling.tiles / least_part_tiles, most_parts);
    parts = few_tiles ? 1 : static_cast<int>(std::max<std::ptrdiff_t>(std::min(fitting_copies, worthwhile), 2));
    inputs_step = point_step<T>(block_tiles * in_width);
    grads_step = point_step<T>(block_tiles * out_width);
  }
};

// Some input and output channels, and their sums as [point][input block][group][input][width].
template <class T>
struct Sums {
  T* data;
  int first_block;
  int last_block;
  int first_group;
  int last_group;
  int width;

  [[nodiscard]] std::ptrdiff_t offset(int block, int group) const {
    return (std::ptrdiff_t{block - first_block} * (last_group - first_group) + (group - first_group)) * block_channels *
           width;
  }
  [[nodiscard]] std::ptrdiff_t step() const { return point_step<T>(offset(last_block, first_group)); }
};

template <class T>
void gather_grads(T* grads, const Problem<T>& problem, const Plan<T>& plan, const TileBlock& tiles, int first_group,
                  int last_group) {
  const TilePoints<T> points{grads, plan.grads_step, plan.width, plan.groups};
  gather_tiles(points, plan.backward.output_grad, problem.grad_out, plan.tiling, tiles, plan.tiling.outputs, 0, 0,
               first_group, last_group);
}

// Adds the products of a block of tiles, [point][block or group][tile][width], to the sums of some input blocks.
template <class T>
void correlate_tiles(const Sums<T>& sums, const T* inputs, const T* grads, const Problem<T>& problem,
                     const Plan<T>& plan, int tiles, int first_block, int last_block) {
  const WinogradBackwardPrimitives<T>& cpu = backward_primitives<T>().winograd;
  WinogradCorrelation<T> tile;
  tile.width = plan.width;
  tile.tiles = tiles;
  for (int point = 0; point < plan.points; ++point) {
    for (int block = first_block; block < last_block; ++block) {
      const int channels = std::min(block_channels, problem.in.c() - block * block_channels);
      for (int group = sums.first_group; group < sums.last_group; ++group) {
        const int vectors = plan.vectors(group);
        tile.grads = grads + point * plan.grads_step + std::ptrdiff_t{group} * tiles * plan.width;
        for (int first = 0; first < channels; first += cpu.correlation_inputs) {
          const int count = std::min(cpu.correlation_inputs, channels - first);
          tile.inputs = inputs + point * plan.inputs_step + std::ptrdiff_t{block} * tiles * block_channels + first;
          tile.sums = sums.data + point * sums.step() + sums.offset(block, group) + std::ptrdiff_t{first} * plan.width;
          cpu.correlation[static_cast<std::size_t>(vectors)][static_cast<std::size_t>(count)](tile);
        }
      }
    }
  }
}

// Transforms the sums, of several copies, of one block of input channels to taps.
template <class T>
void write_taps(const Sums<T>& sums, int copies, const Problem<T>& problem, const Plan<T>& plan, int block) {
  const int in_channels = problem.in.c();
  const int out_channels = problem.grad_out.c();
  const int first = block * block_channels;
  WinogradWeightGrad<T> tile;
  tile.point_step = sums.step();
  tile.copy_step = plan.points * sums.step();
  tile.copies = copies;
  tile.tap_step = std::ptrdiff_t{in_channels} * out_channels;
  tile.input_step = out_channels;
  tile.add = problem.add;
  for (int group = sums.first_group; group < sums.last_group; ++group) {
    for (int i = 0; i < std::min(block_channels, in_channels - first); ++i) {
      tile.points = sums.data + sums.offset(block, group) + std::ptrdiff_t{i} * plan.width;
      tile.taps = problem.grad_weight + std::ptrdiff_t{first + i} * out_channels + group * plan.width;
      tile.channels = std::min(plan.width, out_channels - group * plan.width);
      plan.backward.weight_grad(tile);
    }
  }
}

// Many tiles: tasks are parts of them, and where those are fewer than threads, some input blocks of a part.
template <class T>
void correlate_parts(const Problem<T>& problem, const Plan<T>& plan, CpuStream& stream) {
  Sums<T> sums{nullptr, 0, plan.input_blocks, 0, plan.groups, plan.width};
  const std::ptrdiff_t copy = plan.points * sums.step();
  sums.data = stream.shared(CpuStream::partials).take<T>(static_cast<std::size_t>(plan.parts * copy));
  const int wanted_tasks = stream.threads() == 1 ? 1 : 2 * stream.threads();
  const int splits = std::min(ceil_div(wanted_tasks, plan.parts), plan.input_blocks);
  parallel_tasks(stream, std::ptrdiff_t{plan.parts} * splits, [&](std::ptrdiff_t task, int thread) {
    const std::ptrdiff_t part = task / splits;
    const auto split = static_cast<int>(task % splits);
    const int first_block = plan.input_blocks * split / splits;
    const int last_block = plan.input_blocks * (split + 1) / splits;
    T* inputs = stream.local(thread, 0).take<T>(static_cast<std::size_t>(plan.points * plan.inputs_step));
    T* grads = stream.local(thread, 1).take<T>(static_cast<std::size_t>(plan.points * plan.grads_step));
    Sums<T> own = sums;
    own.data += part * copy;
    for (int point = 0; point < plan.points; ++point) {
      T* sum = own.data + point * own.step();
      std::fill(sum + own.offset(first_block, 0), sum + own.offset(last_block, 0), T{0});
    }
    const std::ptrdiff_t last = plan.tiling.tiles * (part + 1) / plan.parts;
    for (std::ptrdiff_t first = plan.tiling.tiles * part / plan.parts; first < last; first += plan.block_tiles) {
      const auto count = static_cast<int>(std::min<std::ptrdiff_t>(plan.block_tiles, last - first));
      const TileBlock tiles(first, count, count);
      gather_inputs(inputs, plan.inputs_step, problem.in, problem.pad_top, problem.pad_left, plan, tiles, first_block,
                    last_block);
      gather_grads(grads, problem, plan, tiles, 0, plan.groups);
      correlate_tiles(own, inputs, grads, problem, plan, count, first_block, last_block);
    }
  });
  parallel_tasks(stream, plan.input_blocks, [&](std::ptrdiff_t block, int) {
    write_taps(sums, plan.parts, problem, plan, static_cast<int>(block));
  });
}

// Few tiles: tasks are input and output channels.
template <class T>
void correlate_channels(const Problem<T>& problem, const Plan<T>& plan, CpuStream& stream) {
  constexpr int task_channels = 64;
  constexpr int task_blocks = task_channels / block_channels;
  const int task_groups = ceil_div(task_channels, plan.width);
  const int in_tasks = ceil_div(plan.input_blocks, task_blocks);
  const int out_tasks = ceil_div(plan.groups, task_groups);
  const TileBlock tiles(0, plan.block_tiles, plan.block_tiles);
  T* inputs = stream.shared(CpuStream::inputs).take<T>(static_cast<std::size_t>(plan.points * plan.inputs_step));
  T* grads = stream.shared(CpuStream::partials).take<T>(static_cast<std::size_t>(plan.points * plan.grads_step));
  parallel_tasks(stream, in_tasks + out_tasks, [&](std::ptrdiff_t task, int) {
    const auto in_task = static_cast<int>(task);
    const int out_task = in_task - in_tasks;
    if (out_task < 0) {
      gather_inputs(inputs, plan.inputs_step, problem.in, problem.pad_top, problem.pad_left, plan, tiles,
                    in_task * task_blocks, std::min((in_task + 1) * task_blocks, plan.input_blocks));
    } else {
      gather_grads(grads, problem, plan, tiles, out_task * task_groups,
                   std::min((out_task + 1) * task_groups, plan.groups));
    }
  });
  parallel_tasks(stream, std::ptrdiff_t{in_tasks} * out_tasks, [&](std::ptrdiff_t task, int thread) {
    const int block = static_cast<int>(task / out_tasks) * task_blocks;
    const int group = static_cast<int>(task % out_tasks) * task_groups;
    Sums<T> sums{nullptr,
                 block,
                 std::min(block + task_blocks, plan.input_blocks),
                 group,
                 std::min(group + task_groups, plan.groups),
                 plan.width};
    const std::ptrdiff_t elements = plan.points * sums.step();
    sums.data = stream.local(thread).take<T>(static_cast<std::size_t>(elements));
    std::fill_n(sums.data, elements, T{0});
    correlate_tiles(sums, inputs, grads, problem, plan, plan.block_tiles, sums.first_block, sums.last_block);
    for (int b = sums.first_block; b < sums.last_block; ++b) write_taps(sums, 1, problem, plan, b);
  });
}

}  // namespace

template <class T>
void winograd_backward_weight(T* grad_weight, const Sources<T>& in, Image<const T> grad_out,
                              const ConvGeometry& geometry, bool add, WinogradTile tile, CpuStream& stream) {
  assert(winograd_applies(geometry));
  if (grad_out.pixels() == 0) {
    if (!add) std::fill_n(grad_weight, std::ptrdiff_t{9} * in.c() * grad_out.c, T{0});
    return;
  }
  const Problem<T> problem{grad_weight, in, Sources<T>(grad_out), geometry.pad[0], geometry.pad[1], add};
  name_algorithm(stream, name_of(tile));
  const Plan<T> plan(problem, tile);
  if (plan.few_tiles) {
    correlate_channels(problem, plan, stream);
  } else {
    correlate_parts(problem, plan, stream);
  }
}

template void winograd_backward_weight(float*, const Sources<float>&, Image<const float>, const ConvGeometry&, bool,
                                       WinogradTile, CpuStream&);
template void winograd_backward_weight(double*, const Sources<double>&, Image<const double>, const ConvGeometry&, bool,
                                       WinogradTile, CpuStream&);

}  // namespace plume::kernels
