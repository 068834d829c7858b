// A scene on a grid, read some rows at a time.
#pragma once

#include <vector>

#include "data/abi/scene_reader.hpp"
#include "data/geo/grid.hpp"
#include "data/images/image_rows.hpp"

namespace plume::data::abi {

class SceneRows final : public ImageRows {
 public:
  SceneRows(SceneReader reader, const geo::Grid& grid);

  // As SceneReader::read of the whole grid. What it throws where a band shows nothing is thrown with the last rows, if
  // all were asked for.
  [[nodiscard]] Raster read(int first, int last) override;

 private:
  SceneReader reader_;
  geo::Grid grid_;
  std::vector<Seen> seen_;
};

}  // namespace plume::data::abi
