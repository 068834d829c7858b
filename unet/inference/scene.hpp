// Prediction of an image that need not fit into memory: rows are read, run and written as they come.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "data/images/image_rows.hpp"
#include "unet/inference/graph.hpp"
#include "unet/inference/predict.hpp"
#include "unet/inference/results.hpp"

namespace plume::unet {

struct SceneSettings {
  float threshold = 0.5F;
  std::int64_t least_area = 0;  // pixels; smaller regions of a label are removed (specks.hpp)
};

// Gives all writers the whole image, from above, and finishes them. Memory goes with a row of tiles, not with the
// image.
// Returns the share of pixels with a label other than 0. Throws as the image's reader and the writers do.
double predict_scene(Predictor& predictor, const Graph& graph, data::ImageRows& image, const SceneSettings& settings,
                     std::span<const std::unique_ptr<ResultWriter>> writers);

}  // namespace plume::unet
