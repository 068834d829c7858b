// What a network says of one image, and the class of each pixel that follows from it.
#pragma once

#include <cstdint>
#include <vector>

#include "data/images/raster.hpp"

namespace plume::unet {

struct Prediction {
  int height = 0;
  int width = 0;
  int classes = 1;
  std::vector<float> probability;    // [height, width, classes]
  std::vector<std::uint8_t> labels;  // [height, width]; of one class 1 above the threshold, else the likeliest; 0: none
  std::vector<float> confidence;     // [height, width], the probability of smoke, or of several classes the label's

  // Of all pixels, those with a label other than 0.
  [[nodiscard]] double smoke_fraction() const;
};

// Where the image has fill there is no smoke, whatever the network makes of its zeros: label and probabilities are 0.
[[nodiscard]] Prediction decide(std::vector<float> probability, const data::Raster& image, int classes,
                                float threshold);

}  // namespace plume::unet
