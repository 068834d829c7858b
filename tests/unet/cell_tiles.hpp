// A segmentation set of five classes that is no smoke: touching cells with thin borders, as a microscope sees them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

namespace plume::tests {

inline constexpr int cell_classes = 5;  // background, border, smooth, grainy and striped cells

// Grey values overlap between all classes but the smooth ones, so a pixel must be read by its neighbourhood.
struct CellTile {
  int size = 0;
  std::vector<std::uint8_t> grey;  // [size, size]
  std::vector<std::uint8_t> mask;  // [size, size], 0 .. 4
};

// Tile `index` of a seed; the same arguments give the same tile.
[[nodiscard]] CellTile draw_cells(std::uint64_t seed, int index, int size);

// Writes folder/tiles/<name>.png and folder/masks/<name>.png, both made where absent.
void write_cells(const std::filesystem::path& folder, int count, int size, std::uint64_t seed);

}  // namespace plume::tests
