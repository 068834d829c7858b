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
  int input_step;
  int rows;  // of the largest lattice
  int panel_columns;
  int band;  // lattice rows of a task
  int bands;
  int splits;  // tasks that share a band, each with some groups

  Plan(const Image<T>& out, const Sources<T>& in, const std::vector<Lattice>& lattices, int threads) {
    std::size_t taps = 1;
    int columns = 0;
    rows = 0;
    for (const Lattice& lattice : lattices) {
      taps = std::max(taps, lattice.taps.size());
      rows = std::max(rows, lattice.rows);
      columns = std::max(columns, lattice.columns);
    }
    reach = reach_of(lattices);
    input_step = lattices.front().input_step;
    vectors = std::min(Primitives<T>::max_vectors, ceil_div(out.c, cpu.lanes));
    group = vectors * cpu.lanes;
    groups = ceil_div(out.c, group);
    blocks = ceil_div(in.c(), block_channels);
    const std::size_t block_weights = sizeof(T) * taps * static_cast<std::size_t>(block_channels * group);
    chunk = std::clamp(static_cast<int>(weight_bytes / block_weights), 1, blocks);
    panel_columns = (columns - 1) * input_step + reach.columns;

    const std::size_t row_bytes = sizeof(T) * static_cast<std::size_t>(panel_columns * chunk * block_channels);
    // All lattices write the band before the next one: its output is that much larger than the panel.
    const auto panel_rows = static_cast<int>(panel_bytes / lattices.size() / row_bytes);
    const int fitting = std::max(1, (panel_rows - reach.rows) / input_step + 1);
    const int wanted_tasks = threads == 1 ? 1 : 4 * threads;
    const int fair = ceil_div(rows, ceil_div(wanted_tasks, out.n));
    band = std::clamp(std::min(fitting, fair), 1, rows);
    bands = ceil_div(rows, band);
    splits = std::clamp(ceil_div(wanted_tasks, out.n * bands), 1, groups);
  }
};

// A lattice with what its tiles read.
template <class T>
struct PackedLattice {
  const Lattice& lattice;
  std::vector<int> offsets;  // of its taps, in panel pixels
  T* weights;                // [group][block][tap][channel of block][channel of group]
};

// Output channels that do not exist get zeros.
template <class T>
void pack_weights(const PackedLattice<T>& packed, const T* weight, WeightStrides strides, const Plan<T>& plan,
                  int in_channels, int out_channels, CpuStream& stream) {
  const std::ptrdiff_t taps = std::ssize(packed.lattice.taps);
  parallel_tasks(stream, std::ptrdiff_t{plan.groups} * plan.blocks, [&](std::ptrdiff_t task, int) {
    const int group = static_cast<int>(task / plan.blocks);
    const int block = static_cast<int>(task % plan.blocks);
    const int first = block * block_channels;
    const int width = std::min(block_channels, in_channels - first);
    const int first_out = group * plan.group;
    const int count = std::min(plan.group, out_channels - first_out);
    T* to = packed.weights + (std::ptrdiff_t{group} * in_channels + first) * taps * plan.group;
    for (const Tap& tap : packed.lattice.taps) {
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
  if (lattice.columns == 0) return;
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

template <class T>
std::vector<PackedLattice<T>> pack_lattices(const std::vector<Lattice>& lattices, const T* weight,
                                            WeightStrides strides, const Plan<T>& plan, int in_channels,
                                            int out_channels, CpuStream& stream) {
  const std::ptrdiff_t tap_weights = std::ptrdiff_t{in_channels} * plan.groups * plan.group;
  std::ptrdiff_t taps = 0;
  for (const Lattice& lattice : lattices) taps += std::ssize(lattice.taps);
  T* weights = stream.shared(CpuStream::weights).take<T>(static_cast<std::size_t>(taps * tap_weights));
  std::vector<PackedLattice<T>> packed;
  for (const Lattice& lattice : lattices) {
    packed.push_back({lattice, {}, weights});
    for (const Tap& tap : lattice.taps) {
      packed.back().offsets.push_back((tap.row - plan.reach.first_row) * plan.panel_columns + tap.column -
                                      plan.reach.first_column);
    }
    pack_weights(packed.back(), weight, strides, plan, in_channels, out_channels, stream);
    weights += std::ssize(lattice.taps) * tap_weights;
  }
  return packed;
}

}  // namespace

template <class T>
void gather_conv(Image<T> out, const Sources<T>& in, const T* weight, WeightStrides strides,
                 const std::vector<Lattice>& lattices, Epilogue<T> epilogue, CpuStream& stream) {
  name_algorithm(stream, "direct");
  if (out.pixels() == 0) return;
  const Plan<T> plan(out, in, lattices, stream.threads());
  const auto packed = pack_lattices(lattices, weight, strides, plan, in.c(), out.c, stream);

  parallel_tasks(stream, std::ptrdiff_t{out.n} * plan.bands * plan.splits, [&](std::ptrdiff_t task, int thread) {
    const int image = static_cast<int>(task / (plan.bands * plan.splits));
    const int first_row = static_cast<int>(task / plan.splits % plan.bands) * plan.band;
    const int split = static_cast<int>(task % plan.splits);
    const int panel_rows = (std::min(plan.band, plan.rows - first_row) - 1) * plan.input_step + plan.reach.rows;
    const std::ptrdiff_t panel_pixels = std::ptrdiff_t{panel_rows} * plan.panel_columns;
    T* panel = stream.local(thread).take<T>(static_cast<std::size_t>(panel_pixels * plan.chunk * block_channels));

    for (int block = 0; block < plan.blocks; block += plan.chunk) {
      const int last_block = std::min(block + plan.chunk, plan.blocks);
      const bool first = block == 0;
      const bool last = last_block == plan.blocks;
      const PanelWindow window{image, first_row * plan.input_step + plan.reach.first_row, plan.reach.first_column,
                               panel_rows, plan.panel_columns};
      pack_panel(panel, in, window, block, last_block);
      ConvTile<T> tile;
      tile.panel = panel;
      tile.block_stride = panel_pixels * block_channels;
      tile.blocks = last_block - block;
      tile.last_width = last ? in.c() - (plan.blocks - 1) * block_channels : block_channels;
      tile.pixel_step = plan.input_step;
      tile.add_to_output = !first || epilogue.add;
      tile.relu = last && epilogue.relu;
      for (const PackedLattice<T>& own : packed) {
        const Lattice& lattice = own.lattice;
        const int rows = std::min(plan.band, lattice.rows - first_row);
        const std::ptrdiff_t channel_weights = std::ssize(lattice.taps) * plan.group;
        tile.tap_offset = own.offsets.data();
        tile.taps = static_cast<int>(lattice.taps.size());
        tile.output_step = lattice.step * out.stride;
        for (int g = split; g < plan.groups; g += plan.splits) {
          tile.weights = own.weights + (std::ptrdiff_t{g} * in.c() + block * block_channels) * channel_weights;
          tile.channels = std::min(plan.group, out.c - g * plan.group);
          tile.bias = first && epilogue.bias ? epilogue.bias + g * plan.group : nullptr;
          run_group(out, lattice, plan, tile, image, first_row, rows, g * plan.group);
        }
      }
    }
  });
}

template void gather_conv(Image<float>, const Sources<float>&, const float*, WeightStrides, const std::vector<Lattice>&,
                          Epilogue<float>, CpuStream&);
template void gather_conv(Image<double>, const Sources<double>&, const double*, WeightStrides,
                          const std::vector<Lattice>&, Epilogue<double>, CpuStream&);

}  // namespace plume::kernels
