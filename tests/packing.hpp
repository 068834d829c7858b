// Packing folders of tiles and masks, all options in one place.
#pragma once

#include "data/folder_source.hpp"
#include "data/pack.hpp"

namespace plume::tests {

struct FolderPacking : data::FolderOptions, data::PackOptions {};

inline data::PackReport pack(const FolderPacking& packing, const data::PackProgress& progress = {}) {
  return data::pack(data::FolderSource(packing), packing, progress);
}

}  // namespace plume::tests
