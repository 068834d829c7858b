// How often a class was given each probability, where it was and where it was not: what every curve over thresholds is
// made of. Counts, so that parts of a set, of images or of ranks, add up to exactly what the whole gives.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "unet/metrics/confusion.hpp"

namespace plume::unet {

// What is decided above one threshold.
struct CurvePoint {
  double threshold;  // positive is what is at or above it
  double precision;
  double recall;  // of a ROC curve: the true positive rate
  double false_positive_rate;
};

// Of one class. Probabilities are rounded to 16 bits: figures are those of scikit-learn 1.2 for probabilities so
// rounded (a test compares), and part from those of f32 by about 1e-5.
class Scores {
 public:
  static constexpr int steps = 65535;

  Scores();
  // Adds pixels of one or more images: probability is [pixels, classes], of which column `column` counts, and is right
  // where the label is `label`; labels of 255 are left out.
  void add(const float* probability, const std::uint8_t* labels, std::int64_t pixels, int classes, int column,
           int label);
  // The same of what is not background: the probability is 1 - that of class 0, right where the label is another.
  void add_foreground(const float* probability, const std::uint8_t* labels, std::int64_t pixels, int classes);
  Scores& operator+=(const Scores& other);
  // Its counts, of positives and of negatives, for whoever adds up those of ranks.
  [[nodiscard]] std::array<std::span<std::int64_t>, 2> counts() { return {positive_, negative_}; }

  [[nodiscard]] std::int64_t positives() const;
  [[nodiscard]] std::int64_t negatives() const;

  // A point for each probability that occurs, from the highest to the lowest. Without positives recall is 0, without
  // negatives the false positive rate is.
  [[nodiscard]] std::vector<CurvePoint> curve() const;
  // The sum of precisions, each times the recall gained (scikit-learn's average_precision_score); 0 without positives.
  [[nodiscard]] double average_precision() const;
  // The area under the ROC curve by trapezoids; 0 without positives or negatives.
  [[nodiscard]] double roc_area() const;
  // The mean squared difference between probability and truth (Brier, 1950).
  [[nodiscard]] double brier() const;

  struct Bin {
    std::int64_t count = 0;
    double probability = 0;  // the mean
    double share = 0;        // of positives
  };
  // Reliability in bins of equal width; a probability on a border belongs to the bin below (Guo et al., "On calibration
  // of modern neural networks", 2017).
  [[nodiscard]] std::vector<Bin> reliability(int bins = 15) const;
  // The expected calibration error: the mean of |share - probability| over the bins, by their counts.
  [[nodiscard]] double calibration_error(int bins = 15) const;

  // What is decided where positive is what lies above the threshold.
  [[nodiscard]] Confusion above(double threshold) const;

  // The threshold whose IoU is best, and that IoU: of equals the highest. It lies between two steps, so that above()
  // and whoever compares probabilities in f32 decide alike.
  struct Best {
    double threshold = 0.5;
    double iou = 0;
  };
  [[nodiscard]] Best best_iou() const;

 private:
  std::vector<std::int64_t> positive_;  // by probability, in steps
  std::vector<std::int64_t> negative_;
};

}  // namespace plume::unet
