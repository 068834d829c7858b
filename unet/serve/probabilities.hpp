// What a network says of the images of a request.
#pragma once

#include <vector>

namespace plume::serve {

struct Probabilities {
  int images = 0;
  int height = 0;
  int width = 0;
  int classes = 0;
  std::vector<float> values;  // [images, height, width, classes]
};

}  // namespace plume::serve
