// What streams through when an image is predicted piece by piece: some whole rows of it, and what was found there.
#pragma once

#include <functional>

#include "data/images/raster.hpp"
#include "unet/inference/prediction.hpp"

namespace plume::unet {

struct Strip {
  data::Raster rows;
  Prediction found;
};

using TakeStrip = std::function<void(const Strip&)>;

}  // namespace plume::unet
