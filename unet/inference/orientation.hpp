// Mirrored and turned images. A model that was not trained to see them all alike answers each a little differently; the
// mean of these answers, turned back, is mostly better than one of them (test-time augmentation).
#pragma once

#include <span>
#include <string>
#include <utility>
#include <vector>

#include "nn/tensor.hpp"
#include "unet/inference/reach.hpp"

namespace plume::unet {

// The image is transposed, then its rows, then its columns are mirrored: all eight symmetries of a square.
struct Orientation {
  bool transpose = false;
  bool flip_rows = false;
  bool flip_columns = false;
  bool operator==(const Orientation&) const = default;
};

// Over which orientations a prediction is averaged.
enum class TestTime {
  none,   // the image as it is
  flips,  // it and its mirror images along rows, columns and both: 4
  turns,  // these and their transposes, which are all quarter turns and their mirror images: 8
};

// As users write them.
inline const std::vector<std::pair<std::string, TestTime>> test_time_names{
    {"none", TestTime::none}, {"flips", TestTime::flips}, {"turns", TestTime::turns}};

// The image as it is comes first.
[[nodiscard]] std::vector<Orientation> orientations(TestTime test_time);

// What a shape becomes.
[[nodiscard]] nn::Shape oriented(const Orientation& orientation, const nn::Shape& shape);
[[nodiscard]] Margins oriented(const Orientation& orientation, const Margins& margins);

// values [images, height, width, channels] of `shape`, in another orientation.
[[nodiscard]] std::vector<float> orient(const Orientation& orientation, const nn::Shape& shape, const float* values);

// Adds values in an orientation to a sum in none, which has the shape.
void add_turned_back(const Orientation& orientation, const nn::Shape& shape, std::span<const float> values,
                     std::span<float> sum);

}  // namespace plume::unet
