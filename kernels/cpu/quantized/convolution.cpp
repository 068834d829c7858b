// The 8-bit convolution: the input is packed into one panel that all threads read, and register tiles go over it.
#include <algorithm>

#include "kernels/cpu/panel.hpp"
#include "kernels/cpu/parallel.hpp"
#include "kernels/cpu/quantized/primitives.hpp"
#include "kernels/lattices.hpp"
#include "kernels/profile.hpp"
#include "kernels/quantized.hpp"

namespace plume::kernels {
namespace {

constexpr std::ptrdiff_t shared_bytes = std::ptrdiff_t{16} << 20;  // of the panel, where more than one image would fit
constexpr std::ptrdiff_t band_bytes = std::ptrdiff_t{512} << 10;   // of a task's part of it, half of a common L2

template <class Out>
const auto& tiles_of(const QuantizedPrimitives& cpu) {
  if constexpr (std::is_same_v<Out, std::uint8_t>) {
    return cpu.tile;
  } else {
    return cpu.real_tile;
  }
}

template <class Out>
class Convolution {
 public:
  Convolution(const Image<Out>& out, const Sources<std::uint8_t>& in, const QuantizedConv& conv, CpuStream& stream)
      : out_(out), in_(in), conv_(conv), stream_(stream) {
    lattices_ = lattices_of(conv.geometry, conv.transposed, out.h, out.w, 0);
    for (const Lattice& lattice : lattices_) {
      rows_ = std::max(rows_, lattice.rows);
      columns_ = std::max(columns_, lattice.columns);
    }
    const int step = lattices_.front().input_step;
    reach_ = reach_of(lattices_);
    blocks_ = ceil_div(in.c(), block_channels);
    panel_rows_ = (rows_ - 1) * step + reach_.rows;
    panel_columns_ = (columns_ - 1) * step + reach_.columns;
    block_bytes_ = std::ptrdiff_t{panel_columns_} * block_channels;
    row_bytes_ = blocks_ * block_bytes_;
    image_bytes_ = panel_rows_ * row_bytes_;
    vectors_ = std::min(QuantizedPrimitives::max_vectors, ceil_div(out.c, cpu_.lanes));
    group_ = vectors_ * cpu_.lanes;
    groups_ = ceil_div(out.c, group_);
    for (const Lattice& lattice : lattices_) {
      auto& offsets = offsets_.emplace_back();
      for (const Tap& tap : lattice.taps) {
        offsets.push_back((tap.row - reach_.first_row) * row_bytes_ +
                          std::ptrdiff_t{tap.column - reach_.first_column} * block_channels);
      }
    }
  }

  void run() {
    if (rows_ <= 0 || columns_ <= 0 || out_.n <= 0) return;
    const int at_once = std::clamp(static_cast<int>(shared_bytes / image_bytes_), 1, out_.n);
    auto* panel =
        stream_.shared(CpuStream::inputs).template take<std::uint8_t>(static_cast<std::size_t>(at_once * image_bytes_));
    for (int first = 0; first < out_.n; first += at_once) run_images(panel, first, std::min(at_once, out_.n - first));
  }

 private:
  void run_images(std::uint8_t* panel, int first, int images) {
    parallel_tasks(stream_, std::ptrdiff_t{images} * panel_rows_, [&](std::ptrdiff_t row, int) {
      const PanelWindow window{first + static_cast<int>(row / panel_rows_),
                               static_cast<int>(row % panel_rows_) + reach_.first_row, reach_.first_column, 1,
                               panel_columns_};
      pack_panel(panel + row * row_bytes_, in_, window, 0, blocks_, conv_.outside.data());
    });

    // Tasks are bands of rows; where these are few, each takes some of the output's channels, and else fewer rows.
    const int step = lattices_.front().input_step;
    const int wanted = stream_.threads() == 1 ? 1 : 8 * stream_.threads();
    const int fitting = std::max(1, (static_cast<int>(band_bytes / row_bytes_) - reach_.rows) / step + 1);
    int bands = ceil_div(rows_, fitting);
    const int splits = std::clamp(ceil_div(wanted, images * bands), 1, groups_);
    bands = std::clamp(ceil_div(wanted, images * splits), bands, rows_);
    const int band = ceil_div(rows_, bands);
    parallel_tasks(stream_, std::ptrdiff_t{images} * bands * splits, [&](std::ptrdiff_t task, int) {
      const int image = static_cast<int>(task / splits / bands);
      const int first_row = static_cast<int>(task / splits % bands) * band;
      const int split = static_cast<int>(task % splits);
      for (std::size_t part = 0; part < lattices_.size(); ++part) {
        const int last_row = std::min(first_row + band, lattices_[part].rows);
        for (int group = split; group < groups_; group += splits) {
          run_group(panel + image * image_bytes_, first + image, part, group, first_row, last_row);
        }
      }
    });
  }

  // One group of output channels over some rows of a lattice: tiles of neighbouring pixels, equal in size but for one.
  void run_group(const std::uint8_t* panel, int image, std::size_t part, int group, int first_row, int last_row) const {
    const Lattice& lattice = lattices_[part];
    const QuantizedConv::Part& weights = conv_.parts[part];
    const int first_channel = group * group_;
    QuantizedTile<Out> tile;
    tile.block_stride = block_bytes_;
    tile.blocks = blocks_;
    tile.last_dots = ceil_div(in_.c() - (blocks_ - 1) * block_channels, dot_channels);
    tile.pixel_step = std::ptrdiff_t{lattice.input_step} * block_channels;
    tile.tap_offset = offsets_[part].data();
    tile.taps = static_cast<int>(lattice.taps.size());
    tile.weights = reinterpret_cast<const std::int8_t*>(weights.weights.data()) + group * group_bytes(tile.taps);
    tile.multiplier = weights.multiplier.data() + first_channel;
    tile.shift = weights.shift.data() + first_channel;
    tile.least = conv_.least;
    tile.output_step = lattice.step * out_.stride;
    tile.channels = std::min(group_, out_.c - first_channel);
    const auto& table = tiles_of<Out>(cpu_)[static_cast<std::size_t>(vectors_)];
    const int tiles = ceil_div(lattice.columns, cpu_.tile_pixels);
    for (int row = first_row; row < last_row; ++row) {
      const std::uint8_t* panel_row = panel + std::ptrdiff_t{row} * lattice.input_step * row_bytes_;
      for (int t = 0; t < tiles; ++t) {
        const auto column = static_cast<int>(std::ptrdiff_t{t} * lattice.columns / tiles);
        const int pixels = static_cast<int>((std::ptrdiff_t{t} + 1) * lattice.columns / tiles) - column;
        tile.panel = panel_row + column * tile.pixel_step;
        tile.output =
            out_.at(image, lattice.first_row + row * lattice.step, lattice.first_column + column * lattice.step) +
            first_channel;
        table[static_cast<std::size_t>(pixels)](tile);
      }
    }
  }

  [[nodiscard]] std::ptrdiff_t group_bytes(int taps) const {
    return std::ptrdiff_t{ceil_div(in_.c(), dot_channels)} * dot_channels * taps * group_;
  }

  const QuantizedPrimitives& cpu_ = quantized_primitives();
  const Image<Out>& out_;
  const Sources<std::uint8_t>& in_;
  const QuantizedConv& conv_;
  CpuStream& stream_;
  std::vector<Lattice> lattices_;
  std::vector<std::vector<std::ptrdiff_t>> offsets_;  // by lattice: bytes from a pixel to each tap
  Reach reach_;                                       // of all lattices
  int rows_ = 0;                                      // of the largest lattice
  int columns_ = 0;
  int blocks_ = 0;  // of input channels
  int panel_rows_ = 0;
  int panel_columns_ = 0;
  std::ptrdiff_t block_bytes_ = 0;  // of the panel [image][row][block][column][channel of block]
  std::ptrdiff_t row_bytes_ = 0;
  std::ptrdiff_t image_bytes_ = 0;
  int vectors_ = 0;  // of a tile
  int group_ = 0;    // output channels of a tile
  int groups_ = 0;
};

}  // namespace

template <class Out>
void quantized_conv_forward(Image<Out> out, const Sources<std::uint8_t>& in, const QuantizedConv& conv,
                            CpuStream& stream) {
  name_algorithm(stream, "int8");
  Convolution<Out>(out, in, conv, stream).run();
}

template void quantized_conv_forward(Image<std::uint8_t>, const Sources<std::uint8_t>&, const QuantizedConv&,
                                     CpuStream&);
template void quantized_conv_forward(Image<float>, const Sources<std::uint8_t>&, const QuantizedConv&, CpuStream&);

}  // namespace plume::kernels
