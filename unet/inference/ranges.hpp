// The ranges of a network's values, which its 8-bit form is made by (kernels/quantized.hpp).
#pragma once

#include <map>
#include <string>
#include <vector>

namespace plume::unet {

// Of a channel's values: the least, the greatest, and the root of their mean square.
struct Range {
  float low = 0;
  float high = 0;
  float rms = 0;
  bool operator==(const Range&) const = default;
};

// By layer, then by channel: of what the layer yields in the network that fold_norms() makes.
using Ranges = std::map<std::string, std::vector<Range>>;

}  // namespace plume::unet
