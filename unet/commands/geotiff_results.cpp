// Two files that grow together.
#include "unet/commands/geotiff_results.hpp"

namespace plume::unet {
namespace {

class Geotiffs final : public ResultWriter {
 public:
  Geotiffs(const std::string& stem, const ResultImage& image, data::GeotiffLayout layout)
      : mask_(stem + "_mask.tif", {image.shape.height, image.shape.width, 1}, DType::u8, image.georeference, layout),
        probability_(stem + "_probability.tif", {image.shape.height, image.shape.width, image.classes}, DType::f32,
                     image.georeference, layout) {}

  void add(const Strip& strip) override {
    mask_.write_rows(mask_of(strip.found));
    probability_.write_rows(strip.found.probability);
  }

  void finish() override {
    mask_.finish();
    probability_.finish();
  }

 private:
  data::GeotiffWriter mask_;
  data::GeotiffWriter probability_;
};

}  // namespace

std::unique_ptr<ResultWriter> make_geotiff_writer(const std::string& stem, const ResultImage& image,
                                                  data::GeotiffLayout layout) {
  return std::make_unique<Geotiffs>(stem, image, layout);
}

}  // namespace plume::unet
