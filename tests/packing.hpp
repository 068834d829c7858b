// Packing folders of tiles and masks, all options in one place.
#pragma once

#include <filesystem>
#include <memory>
#include <vector>

#include "data/shards/pack.hpp"
#include "data/sources/folder_source.hpp"
#include "data/sources/mask_folder.hpp"

namespace plume::tests {

struct FolderPacking : data::PackOptions {
  std::filesystem::path tiles;
  std::filesystem::path masks;
  std::vector<int> bands;
  data::LabelRule rule;
};

inline data::PackReport pack(const FolderPacking& packing, const data::PackProgress& progress = {}) {
  auto labels = std::make_unique<data::MaskFolder>(packing.masks, packing.rule);
  return data::pack(data::FolderSource(packing.tiles, packing.bands, std::move(labels)), packing, progress);
}

}  // namespace plume::tests
