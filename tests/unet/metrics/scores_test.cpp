// Curves over thresholds, by hand and as scikit-learn has them (scores_sklearn.py).
#include "unet/metrics/scores.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "../../python.hpp"
#include "kernels/base/philox.hpp"
#include "scratch_folder.hpp"

namespace plume::unet {
namespace {

Scores scores_of(const std::vector<float>& probability, const std::vector<std::uint8_t>& labels) {
  Scores scores;
  scores.add(probability.data(), labels.data(), static_cast<std::int64_t>(labels.size()), 1, 0, 1);
  return scores;
}

TEST(ScoresTest, CurveByHand) {
  const Scores scores = scores_of({1.0F, 0.8F, 0.8F, 0.2F, 0.0F, 0.9F}, {1, 1, 0, 1, 0, 255});
  EXPECT_EQ(scores.positives(), 3);
  EXPECT_EQ(scores.negatives(), 2);
  const auto curve = scores.curve();
  ASSERT_EQ(curve.size(), 4U);  // one of two pixels; what is ignored has none
  EXPECT_DOUBLE_EQ(curve[1].precision, 2.0 / 3);
  EXPECT_DOUBLE_EQ(curve[1].recall, 2.0 / 3);
  EXPECT_DOUBLE_EQ(curve[1].false_positive_rate, 0.5);
  EXPECT_DOUBLE_EQ(scores.average_precision(), (1.0 + 2.0 / 3 + 3.0 / 4) / 3);
  EXPECT_NEAR(scores.best_iou().threshold, 0.2, 1e-5);
  EXPECT_DOUBLE_EQ(scores.best_iou().iou, 0.75);
}

TEST(ScoresTest, OneClassOfSeveral) {
  constexpr std::array<float, 6> probability{0.7F, 0.2F, 0.1F, 0.1F, 0.3F, 0.6F};
  constexpr std::array<std::uint8_t, 2> labels{0, 2};
  Scores scores;
  scores.add(probability.data(), labels.data(), 2, 3, 2, 2);
  EXPECT_DOUBLE_EQ(scores.roc_area(), 1);
}

TEST(ScoresTest, PartsAddUpToTheWhole) {
  const std::vector<float> probability{0.1F, 0.9F, 0.4F, 0.6F};
  const std::vector<std::uint8_t> labels{0, 1, 1, 0};
  Scores parts = scores_of({probability.begin(), probability.begin() + 1}, {labels.begin(), labels.begin() + 1});
  parts += scores_of({probability.begin() + 1, probability.end()}, {labels.begin() + 1, labels.end()});
  const Scores whole = scores_of(probability, labels);
  EXPECT_EQ(parts.average_precision(), whole.average_precision());
  EXPECT_EQ(parts.roc_area(), whole.roc_area());
  EXPECT_EQ(parts.calibration_error(), whole.calibration_error());
}

TEST(ScoresTest, NothingGivesNoNaN) {
  const Scores none;
  EXPECT_EQ(none.average_precision(), 0);
  EXPECT_EQ(none.roc_area(), 0);
  EXPECT_EQ(none.brier(), 0);
  EXPECT_EQ(none.calibration_error(), 0);
  EXPECT_EQ(none.best_iou().threshold, 0.5);
  EXPECT_EQ(scores_of({0.5F}, {0}).average_precision(), 0);
}

TEST(ScoresTest, ABorderBelongsToTheBinBelow) {
  const auto bins = scores_of({0.0F, 0.2F, 0.4F, 1.0F}, {0, 0, 1, 1}).reliability(5);
  EXPECT_EQ(bins[0].count, 2);
  EXPECT_EQ(bins[1].count, 1);
  EXPECT_EQ(bins[4].count, 1);
}

// 20,000 pixels, a third of which are smoke, with probabilities that tell something; some occur twice.
TEST(ScoresTest, AreThoseOfScikitLearn) {
  if (!tests::python_has("sklearn, numpy")) {
    GTEST_SKIP() << tests::python << " has no sklearn (Debian: python3-sklearn)";
  }
  std::vector<float> probability;
  std::vector<std::uint8_t> labels;
  Philox draw(1, 0);
  for (int i = 0; i < 20000; ++i) {
    labels.push_back(draw.below(3) == 0 ? 1 : 0);
    const double logit = draw.normal() + (labels.back() == 1 ? 0.8 : -0.8);
    probability.push_back(static_cast<float>(std::round(1000 / (1 + std::exp(-logit))) / 1000));
  }
  const tests::ScratchFolder folder;
  std::ofstream(folder / "pixels.json") << nlohmann::json{{"probability", probability}, {"labels", labels}};
  const std::string command = tests::python + " -B " PLUME_SOURCE_DIR "/tests/unet/metrics/scores_sklearn.py '" +
                              (folder / "pixels.json").string() + "' '" + (folder / "theirs.json").string() + "'";
  ASSERT_EQ(std::system(command.c_str()), 0) << command;
  const auto theirs = nlohmann::json::parse(std::ifstream(folder / "theirs.json"));

  const Scores scores = scores_of(probability, labels);
  EXPECT_NEAR(scores.average_precision(), theirs["average_precision"].get<double>(), 1e-12);
  EXPECT_NEAR(scores.roc_area(), theirs["roc_area"].get<double>(), 1e-12);
  EXPECT_NEAR(scores.brier(), theirs["brier"].get<double>(), 1e-12);
  EXPECT_NEAR(scores.calibration_error(), theirs["calibration_error"].get<double>(), 1e-12);
  const auto curve = scores.curve();
  const auto& precision = theirs["precision"];  // from the lowest threshold to the highest, then (1, 0)
  ASSERT_EQ(curve.size() + 1, precision.size());
  for (std::size_t i = 0; i < curve.size(); ++i) {
    const std::size_t other = curve.size() - 1 - i;
    EXPECT_NEAR(curve[i].precision, precision[other].get<double>(), 1e-12) << i;
    EXPECT_NEAR(curve[i].recall, theirs["recall"][other].get<double>(), 1e-12) << i;
  }
}

}  // namespace
}  // namespace plume::unet
