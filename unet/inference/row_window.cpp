// Appends rows at the end, and lets them go at the beginning.
#include "unet/inference/row_window.hpp"

#include <algorithm>

namespace plume::unet {
namespace {

// What is read ahead at most.
constexpr std::size_t bytes_ahead = std::size_t{256} << 20;

}  // namespace

RowWindow::RowWindow(data::ImageRows& image)
    : image_(image),
      row_pixels_(static_cast<std::size_t>(image.shape().width)),
      row_values_(row_pixels_ * static_cast<std::size_t>(image.shape().channels)) {}

const float* RowWindow::move(int first, int last) {
  reader_.wait();
  const auto gone = static_cast<std::ptrdiff_t>(std::min(first, last_) - first_);
  pixels_.erase(pixels_.begin(), pixels_.begin() + gone * static_cast<std::ptrdiff_t>(row_values_));
  valid_.erase(valid_.begin(), valid_.begin() + gone * static_cast<std::ptrdiff_t>(row_pixels_));
  pixels_.reserve(static_cast<std::size_t>(last - first + rows_together) * row_values_);
  first_ = first;
  const int added = std::max(0, last - last_);
  for (; last_ < last && !ahead_.empty(); ahead_.pop_front()) append(ahead_.front());
  while (last_ < last) append(image_.read(last_, std::min(last, last_ + rows_together)));
  const auto most = static_cast<int>(bytes_ahead / (row_values_ * sizeof(float)));
  read_ahead(std::min(last_ + std::min(added, most), image_.shape().height));
  return pixels_.data();
}

data::Raster RowWindow::rows(int first, int last, bool with_pixels) const {
  data::Raster raster;
  raster.height = last - first;
  raster.width = image_.shape().width;
  raster.bands = image_.shape().channels;
  const auto cut = [&](const auto& values, auto& to, std::size_t row) {
    const auto from = values.begin() + static_cast<std::ptrdiff_t>(static_cast<std::size_t>(first - first_) * row);
    to.assign(from, from + static_cast<std::ptrdiff_t>(static_cast<std::size_t>(last - first) * row));
  };
  if (with_pixels) cut(pixels_, raster.pixels, row_values_);
  cut(valid_, raster.valid, row_pixels_);
  return raster;
}

void RowWindow::append(const data::Raster& rows) {
  pixels_.insert(pixels_.end(), rows.pixels.begin(), rows.pixels.end());
  valid_.insert(valid_.end(), rows.valid.begin(), rows.valid.end());
  valid_.resize(pixels_.size() / static_cast<std::size_t>(rows.bands), 1);
  last_ += rows.height;
}

void RowWindow::read_ahead(int end) {
  int row = last_;
  for (const data::Raster& rows : ahead_) row += rows.height;
  if (row >= end) return;
  reader_.run([this, row, end]() mutable {
    for (; row < end; row += rows_together) ahead_.push_back(image_.read(row, std::min(end, row + rows_together)));
  });
}

}  // namespace plume::unet
