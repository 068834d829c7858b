// A folder of tiles as a source of labelled tiles.
#pragma once

#include <filesystem>
#include <memory>
#include <vector>

#include "data/sources/tile_labels.hpp"
#include "data/sources/tile_source.hpp"

namespace plume::data {

// Where a tile is not valid its labels are ignored. The constructor reads the first tile, whose shape all must have.
// Throws input_error: whatever raster.hpp and the labels throw; a tile of another size, band count or type than the
// first (names both); more than 16 bands without a choice.
class FolderSource final : public TileSource {
 public:
  // folder: of rasters (raster.hpp). bands: 0-based (parse_bands); empty: all.
  FolderSource(const std::filesystem::path& folder, std::vector<int> bands, std::unique_ptr<TileLabels> labels);

  [[nodiscard]] const TileShape& shape() const override { return shape_; }
  [[nodiscard]] int classes() const override { return labels_->classes(); }
  [[nodiscard]] std::vector<float> label_target() const override { return labels_->label_target(); }
  [[nodiscard]] const std::vector<std::string>& names() const override { return names_; }
  [[nodiscard]] TileOrigin origin(int tile) const override;
  [[nodiscard]] Georeference georeference(int tile) const override;
  [[nodiscard]] std::string fingerprint(int tile) const override;
  [[nodiscard]] LabelledTile read(int tile) const override;

 private:
  void check_like_first(const std::filesystem::path& tile, const Raster& raster) const;

  std::vector<int> bands_;
  std::unique_ptr<TileLabels> labels_;
  std::vector<std::filesystem::path> tiles_;
  std::vector<std::string> names_;
  TileShape shape_;
};

}  // namespace plume::data
