// A folder of tiles and a folder of masks as a source of labelled tiles.
#pragma once

#include <filesystem>
#include <vector>

#include "data/labels.hpp"
#include "data/tile_source.hpp"

namespace plume::data {

struct FolderOptions {
  std::filesystem::path tiles;  // folder of rasters (raster.hpp)
  std::filesystem::path masks;  // folder of masks; a mask belongs to the tile of the same stem
  std::vector<int> bands;       // 0-based (parse_bands); empty: all
  LabelRule rule;
};

// Where a tile is not valid its labels are ignored. The constructor reads the first tile, whose shape all must have.
// Throws input_error: whatever raster.hpp and labels.hpp throw; a tile without a mask or the reverse (names one,
// counts); a mask of another size than its tile (names both, with sizes); a tile of another size, band count or type
// than the first (names both); more than 16 bands without a choice.
class FolderSource final : public TileSource {
 public:
  explicit FolderSource(FolderOptions options);

  [[nodiscard]] const TileShape& shape() const override { return shape_; }
  [[nodiscard]] int classes() const override { return options_.rule.classes; }
  [[nodiscard]] std::vector<float> label_target() const override { return {}; }
  [[nodiscard]] const std::vector<std::string>& names() const override { return names_; }
  [[nodiscard]] TileOrigin origin(int tile) const override;
  [[nodiscard]] Georeference georeference(int tile) const override;
  [[nodiscard]] std::string fingerprint(int tile) const override;
  [[nodiscard]] LabelledTile read(int tile) const override;

 private:
  struct Pair {
    std::filesystem::path tile;
    std::filesystem::path mask;
  };
  void match();
  void check_like_first(const Pair& pair, const Raster& raster) const;
  [[nodiscard]] std::vector<std::uint8_t> read_labels(const Pair& pair, const Raster& tile) const;

  FolderOptions options_;
  std::vector<std::string> names_;
  std::vector<Pair> pairs_;
  TileShape shape_;
};

}  // namespace plume::data
