// A picture for people: the scene in true colour with the smoke found painted over it.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "data/images/raster.hpp"

namespace plume::unet {

// RGB [height, width, 3]. Where GOES ABI's C01, C02 and C03 are among the bands, in true colour: red C02, blue C01,
// green 0.45 red + 0.1 C03 + 0.45 blue (Bah et al., "Generation of GOES-16 true color imagery without a green band",
// 2018); else the first band in grey. Stretched between the darkest and brightest percents of the measured pixels; what
// is not valid is black. Pixels of a class are tinted by their probability, and outlined. classes [height, width]: the
// class of each pixel, 0 none; probability [height, width]: of that class. bands: which channel each band of the image
// is, counted from 0; empty: C01 and so on.
[[nodiscard]] std::vector<std::uint8_t> draw_overlay(const data::Raster& image, std::span<const std::uint8_t> classes,
                                                     std::span<const float> probability,
                                                     std::span<const int> bands = {});

}  // namespace plume::unet
