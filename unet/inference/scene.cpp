// Rows in, strips out.
#include "unet/inference/scene.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "unet/inference/background.hpp"
#include "unet/inference/row_window.hpp"
#include "unet/inference/specks.hpp"
#include "unet/inference/strip.hpp"

namespace plume::unet {

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
  const bool with_pixels =
      std::any_of(writers.begin(), writers.end(), [](const auto& writer) { return writer->draws_pixels(); });
  Background writing;
  const auto row_values = static_cast<std::size_t>(width) * static_cast<std::size_t>(graph.classes);
  predictor.stream(
      height, width, [&](int first, int last) { return window.move(first, last); },
      [&](int first, int last, std::span<const float> probabilities) {
        writing.wait();
        std::vector<Strip> strips;
        for (int row = first; row < last; row += rows_together) {
          const int end = std::min(last, row + rows_together);
          const auto part = probabilities.subspan(static_cast<std::size_t>(row - first) * row_values,
                                                  static_cast<std::size_t>(end - row) * row_values);
          strips.push_back({window.rows(row, end, with_pixels), {}});
          strips.back().found.probability.assign(part.begin(), part.end());
        }
        writing.run([&, strips = std::move(strips)]() mutable {
          for (Strip& strip : strips) {
            strip.found = decide(std::move(strip.found.probability), strip.rows, graph.classes, settings.threshold);
            specks.add(std::move(strip), write);
          }
        });
      });
  writing.wait();
  specks.finish(write);
  for (const auto& writer : writers) writer->finish();
  return static_cast<double>(found) / (static_cast<double>(height) * width);
}

}  // namespace plume::unet
