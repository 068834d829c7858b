// A picture for people: the scene in true colour with the smoke found painted over it.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "data/raster.hpp"

namespace plume::unet {

// RGB [height, width, 3]. With GOES ABI bands C01..C03 first: red C02, blue C01, green 0.45 red + 0.1 C03 + 0.45 blue
// (Bah et al., "Generation of GOES-16 true color imagery without a green band", 2018); with fewer bands grey.
// Stretched between the darkest and brightest percents of the measured pixels. Pixels of a class are tinted by their
// probability, and outlined.
// classes [height, width]: the class of each pixel, 0 none; probability [height, width]: of that class.
[[nodiscard]] std::vector<std::uint8_t> draw_overlay(const data::Raster& image, std::span<const std::uint8_t> classes,
                                                     std::span<const float> probability);

}  // namespace plume::unet
