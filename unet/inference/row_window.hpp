// The rows of an image that a row of tiles reads, kept while the next one needs them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "data/images/image_rows.hpp"
#include "unet/inference/background.hpp"

namespace plume::unet {

// Rows that are read or handed on at a time: what the passes over them need besides is bounded by that.
inline constexpr int rows_together = 256;

class RowWindow {
 public:
  explicit RowWindow(data::ImageRows& image);

  // The pixels [last - first, width, bands] of rows [first, last); valid until the next call. Both go downwards: rows
  // before `first` are let go, and as many rows behind `last` as were new are read meanwhile.
  const float* move(int first, int last);

  // A copy of some of them, with or without their pixels.
  [[nodiscard]] data::Raster rows(int first, int last, bool with_pixels) const;

 private:
  void append(const data::Raster& rows);
  void read_ahead(int end);

  data::ImageRows& image_;
  std::size_t row_pixels_;
  std::size_t row_values_;
  int first_ = 0;
  int last_ = 0;
  std::vector<float> pixels_;
  std::vector<std::uint8_t> valid_;
  std::deque<data::Raster> ahead_;  // rows from last_ on
  Background reader_;
};

}  // namespace plume::unet
