// Evaluation of whole tiles.
#include "unet/evaluate.hpp"

#include <algorithm>
#include <cstdint>

#include "kernels/base/error.hpp"
#include "kernels/loss.hpp"

namespace plume::unet {
namespace {

// Where the class is: one mask of the truth, one of what was found. What is ignored belongs to none.
struct ClassMasks {
  std::vector<std::uint8_t> found;
  std::vector<std::uint8_t> truth;
};

// The borders of each class of one image.
void add_boundaries(std::vector<BoundaryCounts>& boundaries, const std::vector<std::uint8_t>& found,
                    const std::vector<std::uint8_t>& labels, int height, int width, double tolerance) {
  const bool binary = boundaries.size() == 1;
  ClassMasks masks{std::vector<std::uint8_t>(labels.size()), std::vector<std::uint8_t>(labels.size())};
  for (std::size_t c = 0; c < boundaries.size(); ++c) {
    const auto of_class = static_cast<std::uint8_t>(binary ? 1 : c);
    for (std::size_t p = 0; p < labels.size(); ++p) {
      masks.truth[p] = labels[p] == of_class ? 1 : 0;
      masks.found[p] = labels[p] != kernels::ignore_label && found[p] == of_class ? 1 : 0;
    }
    boundaries[c] += count_boundary(masks.found, masks.truth, height, width, tolerance);
  }
}

// Labels that are as much of a class as they say, as labels that are or are not.
void harden(std::vector<std::uint8_t>& labels, const std::vector<float>& targets) {
  for (std::uint8_t& label : labels)
    if (label != kernels::ignore_label) label = targets[label] >= 0.5F ? 1 : 0;
}

}  // namespace

Evaluation::Details::Details(int classes)
    : matrix(classes), scores(static_cast<std::size_t>(classes)), boundaries(scores.size()) {}

Evaluation::Evaluation(std::size_t tiles, int classes)
    : images(tiles, std::vector<Confusion>(static_cast<std::size_t>(classes))),
      classes_(static_cast<std::size_t>(classes)) {}

void add_image(Evaluation& evaluation, std::size_t image, const float* probability,
               const std::vector<std::uint8_t>& labels, int height, int width, const EvaluationSettings& settings) {
  const auto classes = static_cast<int>(evaluation.classes());
  const auto pixels = static_cast<std::int64_t>(labels.size());
  count_pixels(evaluation.images[image], probability, labels.data(), pixels, classes, settings.threshold);
  if (classes == 1) {
    evaluation.foreground.add(probability, labels.data(), pixels, 1, 0, 1);
  } else {
    evaluation.foreground.add_foreground(probability, labels.data(), pixels, classes);
  }
  if (!evaluation.details) return;
  Evaluation::Details& details = *evaluation.details;
  details.matrix.add(probability, labels.data(), pixels, classes, settings.threshold);
  for (int c = 0; c < classes; ++c) {
    details.scores[static_cast<std::size_t>(c)].add(probability, labels.data(), pixels, classes, c,
                                                    classes == 1 ? 1 : c);
  }
  const auto found = found_classes(probability, pixels, classes, settings.threshold);
  add_boundaries(details.boundaries, found, labels, height, width, settings.boundary_tolerance);
}

std::vector<Confusion> Evaluation::counts() const {
  std::vector<Confusion> sums(classes_);
  for (const auto& image : images) {
    for (std::size_t c = 0; c < classes_; ++c) sums[c] += image[c];
  }
  return sums;
}

double mean_over_images(const Evaluation& evaluation, std::size_t of_class, Ratio ratio, bool with_class) {
  double sum = 0;
  int count = 0;
  for (const auto& image : evaluation.images) {
    if (with_class && image[of_class].positives() == 0) continue;
    sum += (image[of_class].*ratio)();
    ++count;
  }
  return count == 0 ? 0.0 : sum / count;
}

int images_with_class(const Evaluation& evaluation, std::size_t of_class) {
  return static_cast<int>(std::count_if(evaluation.images.begin(), evaluation.images.end(),
                                        [&](const auto& image) { return image[of_class].positives() > 0; }));
}

bool has_soft_labels(const Graph& graph, const data::Shard& shard) {
  return graph.classes == 1 && !shard.info().label_target.empty();
}

void require_fit(const Graph& graph, const data::Shard& shard) {
  const data::ShardInfo& info = shard.info();
  const std::string path = shard.path().string();
  if (info.bands != graph.input.bands) {
    throw input_error("{}: tiles have {} bands, the model takes {}", path, info.bands, graph.input.bands);
  }
  if (info.classes != graph.classes && !has_soft_labels(graph, shard)) {
    throw input_error("{}: labels have {} classes, the model has {}", path, info.classes, graph.classes);
  }
}

Evaluation evaluate(Predictor& predictor, const Graph& graph, const data::Shard& shard, data::Split split,
                    const EvaluationSettings& settings) {
  const auto tiles = shard.tiles(split);
  if (tiles.empty()) throw input_error("{}: no tile in the split '{}'", shard.path().string(), data::name_of(split));
  return evaluate(predictor, graph, shard, tiles, settings);
}

Evaluation evaluate(Predictor& predictor, const Graph& graph, const data::Shard& shard, std::span<const int> tiles,
                    const EvaluationSettings& settings) {
  require_fit(graph, shard);
  const data::ShardInfo& info = shard.info();
  const auto pixels = static_cast<std::size_t>(info.height) * static_cast<std::size_t>(info.width);
  const auto values = pixels * static_cast<std::size_t>(info.bands);
  const auto batch = static_cast<std::size_t>(settings.batch);

  Evaluation result(tiles.size(), graph.classes);
  if (settings.details) result.details.emplace(graph.classes);
  std::vector<float> images;
  std::vector<std::uint8_t> labels(pixels);
  for (std::size_t first = 0; first < tiles.size(); first += batch) {
    const std::size_t count = std::min(tiles.size() - first, batch);
    images.resize(count * values);
    for (std::size_t i = 0; i < count; ++i) {
      shard.read(tiles[first + i], graph.input.mean, graph.input.std, images.data() + i * values);
    }
    const auto probabilities =
        predictor.probabilities_of_normalized(images.data(), static_cast<int>(count), info.height, info.width);
    for (std::size_t i = 0; i < count; ++i) {
      shard.read_labels(tiles[first + i], {0, 0, info.height, info.width}, labels.data());
      if (has_soft_labels(graph, shard)) harden(labels, info.label_target);
      const float* probability = probabilities.data() + i * pixels * static_cast<std::size_t>(graph.classes);
      add_image(result, first + i, probability, labels, info.height, info.width, settings);
    }
  }
  return result;
}

}  // namespace plume::unet
