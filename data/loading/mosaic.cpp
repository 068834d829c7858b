// Quadrant by quadrant, through a buffer of dense rows.
#include "data/loading/mosaic.hpp"

#include <algorithm>
#include <vector>

namespace plume::data {
namespace {

// Dense rows of pixels of `bytes` each into an image of `whole` pixels a row, where `to` is the part's first.
void copy_rows(const std::byte* from, const Window& part, std::size_t bytes, std::byte* to, int whole) {
  const auto row = static_cast<std::size_t>(part.width) * bytes;
  for (int y = 0; y < part.height; ++y)
    std::copy_n(from + static_cast<std::size_t>(y) * row, row, to + static_cast<std::size_t>(y * whole) * bytes);
}

}  // namespace

void read_mosaic(const Shard& shard, const Sample& sample, std::byte* pixels, std::uint8_t* labels) {
  const Mosaic& mosaic = sample.mosaic.value();
  const Window& whole = sample.read;
  const auto pixel = static_cast<std::size_t>(shard.info().bands) * size_of(shard.info().dtype);
  std::vector<std::byte> buffer(static_cast<std::size_t>(whole.height) * static_cast<std::size_t>(whole.width) * pixel);
  for (int quadrant = 0; quadrant < 4; ++quadrant) {
    const int row = quadrant < 2 ? 0 : mosaic.row;
    const int column = quadrant % 2 == 0 ? 0 : mosaic.column;
    const Window part{whole.row + row, whole.column + column, quadrant < 2 ? mosaic.row : whole.height - mosaic.row,
                      quadrant % 2 == 0 ? mosaic.column : whole.width - mosaic.column};
    const int tile = mosaic.tiles[static_cast<std::size_t>(quadrant)];
    const auto first = static_cast<std::size_t>(row * whole.width + column);
    shard.read_raw(tile, part, buffer.data());
    copy_rows(buffer.data(), part, pixel, pixels + first * pixel, whole.width);
    auto* classes = reinterpret_cast<std::uint8_t*>(buffer.data());
    shard.read_labels(tile, part, classes);
    copy_rows(buffer.data(), part, 1, reinterpret_cast<std::byte*>(labels) + first, whole.width);
  }
}

}  // namespace plume::data
