// The two families of U-Nets that plume builds from a short description.
#pragma once

#include <string>

#include "unet/inference/graph.hpp"

namespace plume::unet {

// classic: Ronneberger et al., "U-Net", MICCAI 2015, with padding and batch normalisation: per level two (conv 3x3, BN,
// ReLU), widths base, 2 base, ..., 2x2 max-pooling; up by transposed convolution 2x2 or bilinearly; 1x1 head. With
// `aligned` as in https://github.com/milesial/Pytorch-UNet with bilinear=True: corners aligned, and what is enlarged
// has half as many channels, which the convolutions before it see to.
// pixel_detector: NASA-IMPACT's, of constant width: units of (BN, conv 3x3, ReLU), the skip taken before the last unit
// of a level, up by BN and transposed convolution 3x3 stride 2, concatenated [up, skip], then `wide` and width channels.
enum class Family { classic, pixel_detector };
enum class Up { transposed, bilinear, aligned };

struct ModelSettings {
  Family family = Family::classic;
  int bands = 6;
  int classes = 1;
  int base = 16;             // classic: width of the first level; pixel_detector: width of all
  int depth = 4;             // poolings
  Up up = Up::transposed;    // classic only
  int wide = 32;             // pixel_detector only: channels behind a concatenation
  int deep_supervision = 0;  // decoder levels below the last that have a head of their own in training
  bool operator==(const ModelSettings&) const = default;
};

// Without input statistics. Throws usage_error where a number is out of range.
[[nodiscard]] Graph build_graph(const ModelSettings& settings);

}  // namespace plume::unet
