// Scenes of ABI files as a source of labelled tiles.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "data/abi/open_scenes.hpp"
#include "data/abi/scene_reader.hpp"
#include "data/abi/tile_plan.hpp"
#include "data/sources/tile_labels.hpp"
#include "data/sources/tile_source.hpp"

namespace plume::data::abi {

// Tiles are named as NASA-IMPACT's: "OR_ABI-L1b-RadM1-M6_G17_s20193002000275_49_20" (scene, row, column). Up to 32 tiles
// of a row are read together, so that each part of a file is inflated about once. Memory: at most three such groups as
// floats for each reading thread and two more, the part of a band around one while it is sampled, and what is kept
// inflated of open scenes (ChunkedImage), one more than reading threads.
// Throws input_error as find_scenes, require_bands and the labels do, as Granule does of each scene's first channel, and
// where no tile is to be had; its other files are opened by read(), which throws as SceneReader does.
class SceneSource final : public TileSource {
 public:
  SceneSource(const std::filesystem::path& folder, SceneOptions scene, const TilePlan& plan,
              std::unique_ptr<TileLabels> labels);
  ~SceneSource() override;

  [[nodiscard]] const TileShape& shape() const override { return shape_; }
  [[nodiscard]] int classes() const override { return labels_->classes(); }
  [[nodiscard]] std::vector<float> label_target() const override { return labels_->label_target(); }
  [[nodiscard]] const std::vector<std::string>& names() const override { return names_; }
  [[nodiscard]] TileOrigin origin(int tile) const override;
  [[nodiscard]] Georeference georeference(int tile) const override;
  [[nodiscard]] std::string fingerprint(int tile) const override;
  [[nodiscard]] LabelledTile read(int tile) const override;

 private:
  [[nodiscard]] std::vector<Raster> read_group(std::size_t first, std::size_t end) const;

  struct Tile {
    std::string name;
    int scene = 0;
    int row = 0;
    geo::Grid grid;
  };
  class Groups;

  SceneOptions options_;
  std::unique_ptr<TileLabels> labels_;
  std::vector<Scene> scenes_;
  std::vector<std::string> files_;  // by scene: its bands' places, sizes and times
  std::vector<Tile> tiles_;         // sorted by name
  std::vector<std::string> names_;
  TileShape shape_;
  mutable OpenScenes open_scenes_;
  std::unique_ptr<Groups> groups_;
};

}  // namespace plume::data::abi
