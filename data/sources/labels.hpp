// From the values in a mask file to class indices.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <vector>

#include "data/images/raster.hpp"

namespace plume::data {

struct LabelRule {
  int classes = 1;                 // 1: binary, labels 0 and 1; N > 1: labels 0 .. N-1
  std::vector<int> mask_values{};  // the value at place i means label i; empty: the default rule below
  std::optional<int> ignore{};     // this value means ignore, whatever the other rules say
};

// Default rule, binary: a file holds only {0, 1} or only {0, 255}; both 1 and 255 in one file is refused as ambiguous.
// Default rule, N > 1 classes: 0 .. N-1, and 255 ignored.
// Pixels that are not valid (alpha 0) are ignored, and so is the file's nodata value where the rule gives it no
// meaning; one that is also the default rule's class (1 or 255, binary) is refused as ambiguous.
// mask is read by read_mask. Returns labels [height, width], kernels::ignore_label = ignored.
// Throws input_error naming the file, the value and the pixel for any other value, and for more than one band;
// usage_error where the rule itself is wrong (mask_values and classes disagree, a value twice, more than 255 classes).
[[nodiscard]] std::vector<std::uint8_t> labels_from_mask(const Raster& mask, const LabelRule& rule,
                                                         const std::filesystem::path& path);

}  // namespace plume::data
