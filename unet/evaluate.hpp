// Metrics of a network over the tiles of a split: counts, so that batches and ranks add up to exactly what the whole
// gives.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "data/shards/shard.hpp"
#include "unet/inference/predict.hpp"
#include "unet/metrics/boundary.hpp"
#include "unet/metrics/confusion.hpp"
#include "unet/metrics/scores.hpp"

namespace plume::unet {

struct EvaluationSettings {
  float threshold = 0.5F;
  int batch = 4;        // tiles at a time; nothing of the result hangs on it
  bool details = true;  // what takes a while or memory: curves and borders of each class, the confusion matrix
  double boundary_tolerance = 2;  // pixels
};

struct Evaluation {
  Evaluation(std::size_t tiles, int classes);

  std::vector<std::vector<Confusion>> images;  // of each tile, in their order, by class
  Scores foreground;                           // of what is not background
  struct Details {
    explicit Details(int classes);
    ConfusionMatrix matrix;
    std::vector<Scores> scores;              // by class
    std::vector<BoundaryCounts> boundaries;  // by class
  };
  std::optional<Details> details;

  [[nodiscard]] int tiles() const { return static_cast<int>(images.size()); }
  [[nodiscard]] std::size_t classes() const { return classes_; }
  // By class, over all pixels together.
  [[nodiscard]] std::vector<Confusion> counts() const;

 private:
  std::size_t classes_;
};

// Counts the image of this index: probability is [pixels, classes]. Details are counted where there are any.
void add_image(Evaluation& evaluation, std::size_t image, const float* probability,
               const std::vector<std::uint8_t>& labels, int height, int width, const EvaluationSettings& settings);

// The mean over images of a ratio of one class. with_class: only over those images that hold the class (0 where
// none does); else an image without it, in which none was found, counts as 1.
[[nodiscard]] double mean_over_images(const Evaluation& evaluation, std::size_t of_class, Ratio ratio, bool with_class);
// How many images hold the class.
[[nodiscard]] int images_with_class(const Evaluation& evaluation, std::size_t of_class);

// Whole tiles; of soft labels those of 1/2 and more count as the class. Throws input_error where the shard does not fit
// the model or the split is empty.
[[nodiscard]] Evaluation evaluate(Predictor& predictor, const Graph& graph, const data::Shard& shard, data::Split split,
                                  const EvaluationSettings& settings);

// The same of these tiles alone, possibly none.
[[nodiscard]] Evaluation evaluate(Predictor& predictor, const Graph& graph, const data::Shard& shard,
                                  std::span<const int> tiles, const EvaluationSettings& settings);

// Whether the model has one class and learns from soft labels: how much of it each label is (shard.hpp).
[[nodiscard]] bool has_soft_labels(const Graph& graph, const data::Shard& shard);

// Throws input_error where the shard's bands or classes do not fit the model.
void require_fit(const Graph& graph, const data::Shard& shard);

}  // namespace plume::unet
