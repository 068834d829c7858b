// Voronoi cells of jittered seeds: a cell's kind says how it is filled, and where two meet there is a border.
#include "cell_tiles.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "data/images/png.hpp"
#include "kernels/base/philox.hpp"

namespace plume::tests {
namespace {

constexpr std::uint32_t seed_purpose = 0x63656C6C;
constexpr std::uint32_t grain_purpose = 0x67726169;
constexpr int spacing = 18;          // pixels between seeds
constexpr float border_half = 1.5F;  // pixels from the line where two cells meet

enum Kind : std::uint8_t { background, border, smooth, grainy, striped };

struct Cell {
  float row = 0;
  float column = 0;
  Kind kind{};
  float level = 0;      // mean grey
  float direction = 0;  // of stripes
};

std::vector<Cell> place_cells(std::uint64_t seed, int index, int size) {
  Philox draw(seed, seed_purpose, static_cast<std::uint32_t>(index));
  std::vector<Cell> cells;
  for (int row = -spacing; row < size + spacing; row += spacing) {
    for (int column = -spacing; column < size + spacing; column += spacing) {
      const auto jittered = [&](int at) { return static_cast<float>(at) + spacing * draw.uniform(); };
      Cell cell{jittered(row), jittered(column), background, 0, 0};
      if (draw.uniform() > 0.3F) cell.kind = static_cast<Kind>(smooth + draw.below(3));
      cell.level = (cell.kind == background ? 100.0F : 140.0F) + 20 * draw.uniform();
      cell.direction = 3.1415927F * draw.uniform();
      cells.push_back(cell);
    }
  }
  return cells;
}

struct Nearest {
  const Cell* first = nullptr;
  const Cell* second = nullptr;
  float to_border = 0;  // pixels to the line between the two
};

Nearest nearest_to(float row, float column, const std::vector<Cell>& cells) {
  Nearest nearest{&cells[0], &cells[1], 0};
  float first = std::numeric_limits<float>::max();
  float second = first;
  for (const Cell& cell : cells) {
    const float squared = (cell.row - row) * (cell.row - row) + (cell.column - column) * (cell.column - column);
    if (squared < first) {
      second = first;
      nearest.second = nearest.first;
      first = squared;
      nearest.first = &cell;
    } else if (squared < second) {
      second = squared;
      nearest.second = &cell;
    }
  }
  const float apart =
      std::hypot(nearest.first->row - nearest.second->row, nearest.first->column - nearest.second->column);
  nearest.to_border = (second - first) / (2 * apart);
  return nearest;
}

float fill(const Cell& cell, float row, float column, Philox& grain) {
  if (cell.kind == grainy) return cell.level + 25 * grain.normal();
  if (cell.kind != striped) return cell.level;
  const float along = std::cos(cell.direction) * row + std::sin(cell.direction) * column;
  return cell.level + 40 * std::sin(along * 1.5F);
}

}  // namespace

CellTile draw_cells(std::uint64_t seed, int index, int size) {
  const std::vector<Cell> cells = place_cells(seed, index, size);
  Philox grain(seed, grain_purpose, static_cast<std::uint32_t>(index));
  const float light = 0.3F * (grain.uniform() - 0.5F);  // falls off from one side of the tile to the other
  CellTile tile{size, {}, {}};
  for (int y = 0; y < size; ++y) {
    for (int x = 0; x < size; ++x) {
      const auto row = static_cast<float>(y);
      const auto column = static_cast<float>(x);
      const Nearest nearest = nearest_to(row, column, cells);
      const bool walled = nearest.first->kind != background || nearest.second->kind != background;
      const bool on_border = walled && nearest.to_border < border_half;
      float grey = on_border ? 85.0F : fill(*nearest.first, row, column, grain);
      grey *= 1 + light * (column / static_cast<float>(size) - 0.5F);
      grey += 5 * grain.normal();
      tile.grey.push_back(static_cast<std::uint8_t>(std::clamp(grey, 0.0F, 255.0F)));
      tile.mask.push_back(on_border ? border : nearest.first->kind);
    }
  }
  return tile;
}

void write_cells(const std::filesystem::path& folder, int count, int size, std::uint64_t seed) {
  for (const char* name : {"tiles", "masks"}) std::filesystem::create_directories(folder / name);
  for (int index = 0; index < count; ++index) {
    const CellTile tile = draw_cells(seed, index, size);
    const std::string name = fmt::format("cells_{:03}.png", index);
    data::write_png(folder / "tiles" / name, {size, size, 1}, tile.grey);
    data::write_png(folder / "masks" / name, {size, size, 1}, tile.mask);
  }
}

}  // namespace plume::tests
