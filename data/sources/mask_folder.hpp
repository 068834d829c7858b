// Labels from a folder of masks, one a tile.
#pragma once

#include <filesystem>
#include <vector>

#include "data/sources/labels.hpp"
#include "data/sources/tile_labels.hpp"

namespace plume::data {

// A mask belongs to the tile of the same stem. Throws input_error: whatever raster.hpp and labels.hpp throw; a tile
// without a mask or the reverse (names one, counts); a mask of another size than its tile (names both, with sizes).
class MaskFolder final : public TileLabels {
 public:
  MaskFolder(std::filesystem::path folder, LabelRule rule);

  [[nodiscard]] int classes() const override { return rule_.classes; }
  [[nodiscard]] std::vector<float> label_target() const override { return {}; }
  void match(const std::vector<std::filesystem::path>& tiles) override;
  [[nodiscard]] std::string origin(int tile) const override;
  [[nodiscard]] std::string fingerprint(int tile) const override;
  [[nodiscard]] std::vector<std::uint8_t> labels(int tile, const Raster& raster) const override;

 private:
  std::filesystem::path folder_;
  LabelRule rule_;
  std::vector<std::filesystem::path> tiles_;
  std::vector<std::filesystem::path> masks_;  // as tiles_
};

}  // namespace plume::data
