// A picture for people: the scene in true colour with the smoke found painted over it.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "data/images/image_rows.hpp"
#include "data/images/raster.hpp"

namespace plume::unet {

// The values that become black and white.
struct Stretch {
  float low = 0;
  float high = 1;
};

// Between the darkest and brightest percents of the measured pixels, or of 4 million of them, evenly spaced. Of an
// image that is read by rows, that is a reading of all of it.
[[nodiscard]] Stretch stretch_of(const data::Raster& image, std::span<const int> bands = {});
[[nodiscard]] Stretch stretch_of(data::ImageRows& image, std::span<const int> bands = {});

// A row of the image and of what was found, with the classes of the rows beside it, which the first and the last lack.
struct OverlayRow {
  const float* pixels;  // [width, bands]
  std::span<const std::uint8_t> above;
  std::span<const std::uint8_t> classes;
  std::span<const std::uint8_t> below;
  std::span<const float> probability;
};

// draw_overlay's for one row: RGB [width, 3].
void paint_overlay(const OverlayRow& row, int image_bands, std::span<const int> bands, Stretch stretch,
                   std::uint8_t* picture);

// RGB [height, width, 3]. Where GOES ABI's C01, C02 and C03 are among the bands, in true colour: red C02, blue C01,
// green 0.45 red + 0.1 C03 + 0.45 blue (Bah et al., "Generation of GOES-16 true color imagery without a green band",
// 2018); else the first band in grey. Stretched by stretch_of; what is not valid is black. Pixels of a class are
// tinted by their probability, and outlined. classes [height, width]: the class of each pixel, 0 none; probability
// [height, width]: of that class. bands: which channel each band of the image is, counted from 0; empty: C01 and so on.
[[nodiscard]] std::vector<std::uint8_t> draw_overlay(const data::Raster& image, std::span<const std::uint8_t> classes,
                                                     std::span<const float> probability,
                                                     std::span<const int> bands = {});

}  // namespace plume::unet
