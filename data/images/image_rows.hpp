// An image that is read some rows at a time, so that one which is larger than memory can be.
#pragma once

#include <utility>

#include "data/images/raster.hpp"

namespace plume::data {

class ImageRows {
 public:
  virtual ~ImageRows() = default;
  ImageRows(const ImageRows&) = delete;
  ImageRows& operator=(const ImageRows&) = delete;

  [[nodiscard]] const ImageShape& shape() const { return shape_; }  // channels: the bands that are read
  [[nodiscard]] const Georeference& georeference() const { return georeference_; }

  // Rows [first, last), as a raster of that height without a georeference. Rows that follow each other downwards are
  // the fast way. Throws input_error naming the image.
  [[nodiscard]] virtual Raster read(int first, int last) = 0;

 protected:
  ImageRows(ImageShape shape, Georeference georeference) : shape_(shape), georeference_(std::move(georeference)) {}

 private:
  ImageShape shape_;
  Georeference georeference_;
};

// One that is in memory.
class WholeImage final : public ImageRows {
 public:
  explicit WholeImage(Raster raster)
      : ImageRows({raster.height, raster.width, raster.bands}, raster.georeference), raster_(std::move(raster)) {}

  [[nodiscard]] Raster read(int first, int last) override;

 private:
  Raster raster_;
};

}  // namespace plume::data
