// A shard of small tiles of floats that a test makes up.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "../packing.hpp"
#include "../random_values.hpp"
#include "../scratch_folder.hpp"
#include "data/images/npy.hpp"

namespace plume::tests {

inline constexpr int float_tile_edge = 16;
inline constexpr int float_tile_bands = 2;

// Tiles of noise between -1 and 1, the last one for validation. spoil(tile, pixels) may change one; label_of(the first
// band's value) is a pixel's label.
inline std::filesystem::path float_shard(const std::filesystem::path& folder, int tiles, int classes,
                                         const std::function<std::uint8_t(float)>& label_of,
                                         const std::function<void(int, std::vector<float>&)>& spoil = {}) {
  constexpr int edge = float_tile_edge;
  std::filesystem::create_directories(folder / "tiles");
  std::filesystem::create_directories(folder / "masks");
  std::string csv = "tile,split\n";
  for (int tile = 0; tile < tiles; ++tile) {
    std::vector<float> pixels;
    std::vector<std::uint8_t> mask;
    for (const double value : random_values(edge * edge * float_tile_bands, static_cast<std::uint64_t>(tile) + 1))
      pixels.push_back(static_cast<float>(value));
    for (std::size_t p = 0; p < pixels.size(); p += float_tile_bands) mask.push_back(label_of(pixels[p]));
    if (spoil) spoil(tile, pixels);
    const std::string name = "tile" + std::to_string(tile);
    data::write_npy(folder / "tiles" / (name + ".npy"), std::array<std::int64_t, 3>{edge, edge, float_tile_bands},
                    pixels);
    data::write_npy(folder / "masks" / (name + ".npy"), std::array<std::int64_t, 2>{edge, edge}, mask);
    csv += name + (tile + 1 == tiles ? ",val\n" : ",train\n");
  }
  write_file(folder / "split.csv", csv);
  FolderPacking packing;
  packing.tiles = folder / "tiles";
  packing.masks = folder / "masks";
  packing.split_csv = folder / "split.csv";
  packing.output = folder / "tiles.h5";
  packing.rule.classes = classes;
  pack(packing);
  return packing.output;
}

}  // namespace plume::tests
