// Small tiles and masks for the tests of packing and loading.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "../packing.hpp"
#include "../scratch_folder.hpp"

namespace plume::tests {

struct TileMaker {
  int height = 24;
  int width = 24;
  int bands = 3;
  double pixel_degrees = 0.01;  // 0: no georeference
};

// Writes tiles/<name>.tif (bytes made from the name) with its upper left corner `column`, `row` tile widths
// from (-120, 40), and masks/<name>.png with a square of 255 whose edge is `square`, 0 for none.
void add_tile(const std::filesystem::path& folder, const std::string& name, int column, int row, int square,
              const TileMaker& maker = {});

// `count` tiles, t00, t01, ..., in a row; each third holds a square of the class.
void add_tiles(const std::filesystem::path& folder, int count, const TileMaker& maker = {});

// Options that pack folder/tiles and folder/masks to folder/pack.h5.
FolderPacking pack_options(const std::filesystem::path& folder);

// A shard of `count` training tiles t00, t01, ... of 24x24 bytes in 3 bands, each third with a 6x6 square of the class;
// made without GDAL, whose own locks a thread sanitizer would report.
void write_shard(const std::filesystem::path& path, int count);

}  // namespace plume::tests
