// Results as GeoTIFFs by GDAL, which knows any projection.
#pragma once

#include <memory>
#include <string>

#include "data/formats/geotiff_write.hpp"
#include "unet/inference/results.hpp"

namespace plume::unet {

// STEM_mask.tif (u8, mask_of) and STEM_probability.tif (f32, a band a class). Its functions throw as
// data::GeotiffWriter.
[[nodiscard]] std::unique_ptr<ResultWriter> make_geotiff_writer(const std::string& stem, const ResultImage& image,
                                                                data::GeotiffLayout layout);

}  // namespace plume::unet
