// How training images are varied beyond crops, mirrors and quarter turns: what is drawn for each, a pure function of
// (seed, global step, slot). kernels/augment.hpp carries it out.
#pragma once

#include <cstdint>
#include <vector>

#include "kernels/augment.hpp"

namespace plume::data {

struct Sample;

// Strengths: what is drawn lies evenly between the two extremes; 0 leaves a change out.
struct AugmentSettings {
  double share = 1;       // of images that are changed at all
  double scale = 0;       // by factors from 1 / (1 + scale) to 1 + scale, evenly in the logarithm
  double shift = 0;       // by up to this fraction of the image's height and width
  double angle = 0;       // rotation by up to so many degrees either way
  double shear = 0;       // of columns along the rows' axis, up to so many degrees either way
  double elastic = 0;     // displacements of an elastic field's nodes, up to so many pixels along each axis
  int elastic_cells = 4;  // patches of the field along an edge
  double brightness = 0;  // added to a band, up to so many standard deviations of the network's input either way
  double contrast = 0;    // a band's factor about the input's zero: from 1 - contrast to 1 + contrast
  double noise = 0;       // normal, of a deviation up to this in the network's input
  double cut_out = 0;     // a rectangle of up to this fraction of height and width is hidden
  double drop_bands = 0;  // each band is set to zero with this probability; one always stays
  double mosaic = 0;      // share of the images that are put together from four tiles
  bool operator==(const AugmentSettings&) const = default;
};

// The strengths with the ranges that they may have.
struct AugmentStrength {
  const char* name;
  double AugmentSettings::*value;
  double least;
  double most;
};
inline constexpr AugmentStrength augment_strengths[] = {
    {"share", &AugmentSettings::share, 0, 1},
    {"scale", &AugmentSettings::scale, 0, 3},
    {"shift", &AugmentSettings::shift, 0, 1},
    {"angle", &AugmentSettings::angle, 0, 180},
    {"shear", &AugmentSettings::shear, 0, 60},
    {"elastic", &AugmentSettings::elastic, 0, 1000},
    {"brightness", &AugmentSettings::brightness, 0, 1e6},
    {"contrast", &AugmentSettings::contrast, 0, 1},
    {"noise", &AugmentSettings::noise, 0, 1e6},
    {"cut_out", &AugmentSettings::cut_out, 0, 1},
    {"drop_bands", &AugmentSettings::drop_bands, 0, 1},
    {"mosaic", &AugmentSettings::mosaic, 0, 1},
};
inline constexpr int most_elastic_cells = 64;

// Whether anything but a mosaic, which is the loader's, can change.
[[nodiscard]] bool changes_images(const AugmentSettings& settings);

// Throws usage_error for a value out of range.
void check(const AugmentSettings& settings);

// How many pixels beyond the edges of a square crop its augmented image may come from.
[[nodiscard]] int reach(const AugmentSettings& settings, int crop);

// A batch's augmentation; no images where nothing is changed.
struct DrawnAugmentation {
  std::vector<kernels::Augmentation> images;  // [images]
  std::vector<kernels::BandChange> bands;     // [images, bands]
  std::vector<kernels::PixelPosition> nodes;  // [images, cells + 3, cells + 3], none without elastic
  int cells = 0;
  bool operator==(const DrawnAugmentation&) const = default;
};

// One for each sample: its orientation and place in what was read of their tiles are in the maps. Image i of
// the batch is made of stored image i.
[[nodiscard]] DrawnAugmentation draw_augmentation(const AugmentSettings& settings, std::uint64_t seed,
                                                  const std::vector<Sample>& samples, int bands);

}  // namespace plume::data
