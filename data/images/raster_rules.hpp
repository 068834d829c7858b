// What every reader of images holds to: which bands are taken, how large an image may be, what fill and NaN mean.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "data/images/raster.hpp"

namespace plume::data {

// In all of these: name is the image's, for the error; bands are 0-based, empty for all.

// The bands to take of those available. Throws input_error for one that is not there.
[[nodiscard]] std::vector<int> chosen_bands(const std::string& name, const std::vector<int>& bands, int available);

// Throws input_error for an image without a pixel, or beyond max_pixels or so many values.
void require_extent(const std::string& name, std::int64_t height, std::int64_t width, std::int64_t bands,
                    std::int64_t most_values = max_values);

// u8 and u16 stay; all others are kept as f32.
[[nodiscard]] DType stored_type(DType type);

void mark_invalid(Raster& raster, std::size_t pixel);

// After all were marked: their values become 0, and `valid` is empty where every pixel was measured.
void clear_invalid(Raster& raster);

// Throws input_error naming band, row and column of the first value that is NaN or infinite. first_row: of the image,
// where the raster is some rows of it.
void require_finite(const std::string& name, const std::vector<int>& bands, const Raster& raster, int first_row = 0);

}  // namespace plume::data
