// Rows in, strips out.
#include "unet/inference/scene.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "unet/inference/specks.hpp"
#include "unet/inference/strip.hpp"

namespace plume::unet {
namespace {

// Rows that are read or handed on at a time: what each of the many passes over them needs besides is bounded by that.
constexpr int rows_together = 256;

// The rows that a row of tiles reads, kept while the next one needs them.
class RowWindow {
 public:
  explicit RowWindow(data::ImageRows& image)
      : image_(image),
        row_pixels_(static_cast<std::size_t>(image.shape().width)),
        row_values_(row_pixels_ * static_cast<std::size_t>(image.shape().channels)) {}

  // The pixels of rows [first, last); those before are let go.
  const float* move(int first, int last) {
    const auto gone = static_cast<std::ptrdiff_t>(std::min(first, last_) - first_);
    pixels_.erase(pixels_.begin(), pixels_.begin() + gone * static_cast<std::ptrdiff_t>(row_values_));
    valid_.erase(valid_.begin(), valid_.begin() + gone * static_cast<std::ptrdiff_t>(row_pixels_));
    pixels_.reserve(static_cast<std::size_t>(last - first) * row_values_);
    first_ = first;
    while (last_ < last) {
      const int end = std::min(last, last_ + rows_together);
      const data::Raster rows = image_.read(last_, end);
      pixels_.insert(pixels_.end(), rows.pixels.begin(), rows.pixels.end());
      valid_.insert(valid_.end(), rows.valid.begin(), rows.valid.end());
      valid_.resize(pixels_.size() / static_cast<std::size_t>(image_.shape().channels), 1);
      last_ = end;
    }
    return pixels_.data();
  }

  // A copy of some of them.
  [[nodiscard]] data::Raster rows(int first, int last) const {
    data::Raster raster;
    raster.height = last - first;
    raster.width = image_.shape().width;
    raster.bands = image_.shape().channels;
    const auto cut = [&](const auto& values, auto& to, std::size_t row) {
      const auto from = values.begin() + static_cast<std::ptrdiff_t>(static_cast<std::size_t>(first - first_) * row);
      to.assign(from, from + static_cast<std::ptrdiff_t>(static_cast<std::size_t>(last - first) * row));
    };
    cut(pixels_, raster.pixels, row_values_);
    cut(valid_, raster.valid, row_pixels_);
    return raster;
  }

 private:
  data::ImageRows& image_;
  std::size_t row_pixels_;
  std::size_t row_values_;
  int first_ = 0;
  int last_ = 0;
  std::vector<float> pixels_;
  std::vector<std::uint8_t> valid_;
};

}  // namespace

double predict_scene(Predictor& predictor, const Graph& graph, data::ImageRows& image, const SceneSettings& settings,
                     std::span<const std::unique_ptr<ResultWriter>> writers) {
  const auto [height, width, bands] = image.shape();
  RowWindow window(image);
  SpeckFilter specks(settings.least_area);
  std::int64_t found = 0;
  const TakeStrip write = [&](const Strip& strip) {
    found += std::count_if(strip.found.labels.begin(), strip.found.labels.end(), [](auto label) { return label != 0; });
    for (const auto& writer : writers) writer->add(strip);
  };
  const auto row_values = static_cast<std::size_t>(width) * static_cast<std::size_t>(graph.classes);
  predictor.stream(
      height, width, [&](int first, int last) { return window.move(first, last); },
      [&](int first, int last, std::span<const float> probabilities) {
        for (int row = first; row < last; row += rows_together) {
          const int end = std::min(last, row + rows_together);
          const auto part = probabilities.subspan(static_cast<std::size_t>(row - first) * row_values,
                                                  static_cast<std::size_t>(end - row) * row_values);
          Strip strip{window.rows(row, end), {}};
          strip.found = decide({part.begin(), part.end()}, strip.rows, graph.classes, settings.threshold);
          specks.add(std::move(strip), write);
        }
      });
  specks.finish(write);
  for (const auto& writer : writers) writer->finish();
  return static_cast<double>(found) / (static_cast<double>(height) * width);
}

}  // namespace plume::unet
