// Direct convolution: packed weights, packed input panels, and a register tile over both.
#include "kernels/cpu/gather_conv.hpp"

#include <algorithm>

#include "kernels/cpu/panel.hpp"
#include "kernels/cpu/parallel.hpp"
#include "kernels/cpu/primitives.hpp"
#include "kernels/profile.hpp"

namespace plume::kernels {
namespace {

constexpr std::size_t panel_bytes = std::size_t{256} << 10;  // half of a common L2
constexpr std::size_t weight_bytes = std::size_t{128}
                                     << 10;  // of one output-channel group, kept in L2 beside the panel

// How a convolution is cut: channels into groups and chunks by shape alone (they order the sums), rows and groups into
// tasks by the number of threads too (they do not).
template <class T>
struct Plan {
  const Primitives<T>& cpu = primitives<T>();
  Reach reach;
  int vectors;  // of a tile
  int group;    // output channels of a tile
  int groups;
  int blocks;  // of input channels
  int chunk;   // blocks summed before the tile moves on
  int panel_columns;
  int band;  // output rows of a task
  int bands;
  int splits;  // tasks that share a band, each with some groups

  Plan(const Image<T>& out, const Sources<T>& in, const Lattice& lattice, int threads) {
    const int taps = static_cast<int>(lattice.taps.size());
    reach = reach_of(lattice.taps);
    vectors = std::min(Primitives<T>::max_vectors, ceil_div(out.c, cpu.lanes));
    group = vectors * cpu.lanes;
    groups = ceil_div(out.c, group);
    blocks = ceil_div(in.c(), block_channels);
    const std::size_t block_weights = sizeof(T) * static_cast<std::size_t>(std::max(taps, 1) * block_channels * group);
    chunk = std::clamp(static_cast<int>(weight_bytes / block_weights), 1, blocks);
    panel_columns = (lattice.columns - 1) * lattice.input_step + reach.columns;

    const std::size_t row_bytes = sizeof(T) * static_cast<std::size_t>(panel_columns * chunk * block_channels);
    const int panel_rows = static_cast<int>(panel_bytes / row_bytes);
    const int fitting = std::max(1, (panel_rows - reach.rows) / lattice.input_step + 1);
    const int wanted_tasks = threads == 1 ? 1 : 4 * threads;
    const int fair = ceil_div(lattice.rows, ceil_div(wanted_tasks, out.n));
    band = std::clamp(std::min(fitting, fair), 1, lattice.rows);
    bands = ceil_div(lattice.rows, band);
    splits = std::clamp(ceil_div(wanted_tasks, out.n * bands), 1, groups);
  }
};

// [group][block][tap][channel of block][channel of group]; output channels that do not exist are zeros.
template <class T>
void pack_weights(T* packed, const T* weight, WeightStrides strides, const Lattice& lattice, const Plan<T>& plan,
                  int in_channels, int out_channels, CpuStream& stream) {
  const std::ptrdiff_t taps = std::ssize(lattice.taps);
  parallel_tasks(stream, std::ptrdiff_t{plan.groups} * plan.blocks, [&](std::ptrdiff_t task, int) {
    const int group = static_cast<int>(task / plan.blocks);
    const int block = static_cast<int>(task % plan.blocks);
    const int first = block * block_channels;
    const int width = std::min(block_channels, in_channels - first);
    const int first_out = group * plan.group;
    const int count = std::min(plan.group, out_channels - first_out);
    T* to = packed + (std::ptrdiff_t{group} * in_channels + first) * taps * plan.group;
    for (const Tap& tap : lattice.taps) {
      for (int c = 0; c < width; ++c, to += plan.group) {
        const T* from = weight + tap.weight + (first + c) * strides.input + first_out * strides.output;
        for (int k = 0; k < count; ++k) to[k] = from[k * strides.output];
        std::fill(to + count, to + plan.group, T{0});
      }
    }
  });
}

// One output-channel group over the rows of a band: tiles of neighbouring pixels, as equal in size as they can be.
template <class T>
void run_group(const Image<T>& out, const Lattice& lattice, const Plan<T>& plan, ConvTile<T> tile, int image,
               int first_row, int rows, int first_channel) {
  const int most = plan.cpu.tile_pixels[static_cast<std::size_t>(plan.vectors)];
  const int tiles = ceil_div(lattice.columns, most);
  const int pixels = ceil_div(lattice.columns, tiles);
  const auto& table = plan.cpu.conv_tile[static_cast<std::size_t>(plan.vectors)];
  for (int r = 0; r < rows; ++r) {
    const int row = lattice.first_row + (first_row + r) * lattice.step;
    for (int column = 0; column < lattice.columns; column += pixels) {
      const int count = std::min(pixels, lattice.columns - column);
      tile.first_pixel = (std::ptrdiff_t{r} * plan.panel_columns + column) * lattice.input_step;
      tile.output = out.at(image, row, lattice.first_column + column * lattice.step) + first_channel;
      table[static_cast<std::size_t>(count)](tile);
    }
  }
}

}  // namespace

template <class T>
void gather_conv(Image<T> out, const Sources<T>& in, const T* weight, WeightStrides strides, const Lattice& lattice,
                 Epilogue<T> epilogue, CpuStream& stream) {
  if (lattice.rows <= 0 || lattice.columns <= 0) return;
  name_algorithm(stream, "direct");
  const Plan<T> plan(out, in, lattice, stream.threads());
  const int taps = static_cast<int>(lattice.taps.size());
  std::vector<int> offsets;
  for (const Tap& tap : lattice.taps) {
    offsets.push_back((tap.row - plan.reach.first_row) * plan.panel_columns + tap.column - plan.reach.first_column);
  }
  const std::ptrdiff_t group_weights = std::ptrdiff_t{in.c()} * taps * plan.group;
  T* packed = stream.shared(CpuStream::weights).take<T>(static_cast<std::size_t>(plan.groups * group_weights));
  pack_weights(packed, weight, strides, lattice, plan, in.c(), out.c, stream);

  parallel_tasks(stream, std::ptrdiff_t{out.n} * plan.bands * plan.splits, [&](std::ptrdiff_t task, int thread) {
    const int image = static_cast<int>(task / (plan.bands * plan.splits));
    const int first_row = static_cast<int>(task / plan.splits % plan.bands) * plan.band;
    const int split = static_cast<int>(task % plan.splits);
    const int rows = std::min(plan.band, lattice.rows - first_row);
    const int panel_rows = (rows - 1) * lattice.input_step + plan.reach.rows;
    const std::ptrdiff_t panel_pixels = std::ptrdiff_t{panel_rows} * plan.panel_columns;
    T* panel = stream.local(thread).take<T>(static_cast<std::size_t>(panel_pixels * plan.chunk * block_channels));

    for (int block = 0; block < plan.blocks; block += plan.chunk) {
      const int last_block = std::min(block + plan.chunk, plan.blocks);
      const bool first = block == 0;
      const bool last = last_block == plan.blocks;
      const PanelWindow window{image, first_row * lattice.input_step + plan.reach.first_row, plan.reach.first_column,
                               panel_rows, plan.panel_columns};
      pack_panel(panel, in, window, block, last_block);
      ConvTile<T> tile;
      tile.panel = panel;
      tile.block_stride = panel_pixels * block_channels;
      tile.blocks = last_block - block;
      tile.last_width = last ? in.c() - (plan.blocks - 1) * block_channels : block_channels;
      tile.pixel_step = lattice.input_step;
      tile.tap_offset = offsets.data();
      tile.taps = taps;
      tile.output_step = lattice.step * out.stride;
      tile.add_to_output = !first || epilogue.add;
      tile.relu = last && epilogue.relu;
      for (int g = split; g < plan.groups; g += plan.splits) {
        tile.weights = packed + g * group_weights + std::ptrdiff_t{block} * block_channels * taps * plan.group;
        tile.channels = std::min(plan.group, out.c - g * plan.group);
        tile.bias = first && epilogue.bias ? epilogue.bias + g * plan.group : nullptr;
        run_group(out, lattice, plan, tile, image, first_row, rows, g * plan.group);
      }
    }
  });
}

template void gather_conv(Image<float>, const Sources<float>&, const float*, WeightStrides, const Lattice&,
                          Epilogue<float>, CpuStream&);
template void gather_conv(Image<double>, const Sources<double>&, const double*, WeightStrides, const Lattice&,
                          Epilogue<double>, CpuStream&);

}  // namespace plume::kernels
