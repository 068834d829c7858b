// A training small enough for a test: drawn scenes in a shard, a tiny U-Net, a few steps.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "../packing.hpp"
#include "../scratch_folder.hpp"
#include "data/formats/raster_read.hpp"
#include "data/synth/tiles.hpp"
#include "unet/config.hpp"

namespace plume::tests {

// A shard of `tiles` scenes, split by their names so that even a few tiles give every split some.
inline std::filesystem::path small_shard(const ScratchFolder& folder, int tiles = 10) {
  data::synth::write_scenes(folder / "scenes", tiles, 7);
  std::string csv = "tile,split\n";
  int index = 0;
  for (const auto& path : data::list_rasters(folder / "scenes" / "tiles")) {
    csv += path.stem().string() + (index % 5 == 3 ? ",val\n" : index % 5 == 4 ? ",test\n" : ",train\n");
    ++index;
  }
  write_file(folder / "split.csv", csv);
  FolderPacking options;
  options.tiles = folder / "scenes" / "tiles";
  options.masks = folder / "scenes" / "masks";
  options.split_csv = folder / "split.csv";
  options.output = folder / "tiles.h5";
  pack(options);
  return folder / "tiles.h5";
}

inline unet::Config small_config(const std::filesystem::path& shard) {
  return unet::parse_config(
      "[data]\nshard = '" + shard.string() +
          "'\n[model]\nbase = 4\ndepth = 2\n[train]\nsteps = 8\nbatch = 4\ncrop = 64\nclass_share = 0.5\n"
          "validate_every = 4\nlog_every = 2\nseed = 3\n[loss]\ndice = 1.0\n[optimizer]\nlr = 1e-2\n",
      "small");
}

}  // namespace plume::tests
